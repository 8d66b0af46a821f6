import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scopeSentences, userScopeSentences } from '../src/slack/scope-sentences.ts';
import { createTexts, languages } from '../src/texts/create-texts.ts';
import { de } from '../src/texts/languages/de.ts';
import type { Translation } from '../src/texts/languages/en.ts';
import { en, type TextKey } from '../src/texts/languages/en.ts';
import { es } from '../src/texts/languages/es.ts';
import { fr } from '../src/texts/languages/fr.ts';
import { ja } from '../src/texts/languages/ja.ts';
import { placeholdersOf, textProblems } from '../src/texts/text-problems.ts';

const translations: Readonly<Record<string, Translation>> = { de, fr, es, ja };
const keys = Object.keys(en) as TextKey[];

describe('every language', () => {
  it('each translation has the same keys as the English texts, with the same placeholders', () => {
    for (const [language, { messages }] of Object.entries(translations)) {
      assert.deepEqual(Object.keys(messages).toSorted(), keys.toSorted(), language);
      for (const key of keys) {
        const ours = [...placeholdersOf(messages[key])].toSorted();
        assert.deepEqual(ours, [...placeholdersOf(en[key])].toSorted(), `${language} ${key}`);
      }
    }
  });

  it('no translated message equals the English one, except for a few words that are the same in both languages', () => {
    const alike = new Set<string>();
    for (const { messages } of Object.values(translations)) {
      for (const key of keys) if (messages[key] === en[key]) alike.add(key);
    }
    const allowed = /^(?:page\.support|landing\.optional|home\.(?:title|fact|you)(?:\..+)?)$/;
    assert.deepEqual(
      [...alike].filter((key) => !allowed.test(key)),
      [],
    );
  });

  it('each translation has a sentence for each Slack scope, without a period at the end', () => {
    assert.ok(Object.keys(scopeSentences).length >= 120);
    for (const [language, translation] of Object.entries(translations)) {
      for (const [scope, sentence] of Object.entries({ ...translation.scopes, ...translation.userScopes })) {
        assert.match(sentence, /\S.*[^.。]$/, `${language} ${scope}`);
      }
      assert.deepEqual(Object.keys(translation.scopes), Object.keys(scopeSentences), language);
      assert.deepEqual(Object.keys(translation.userScopes), Object.keys(userScopeSentences), language);
    }
  });

  it('plurals and numbers have the form of their language', () => {
    const count = (language: string, number: number) =>
      createTexts().forLocale(language).text('home.step.afterAttempts', { count: number });
    assert.deepEqual(
      [count('en', 1), count('en', 1200), count('de', 1), count('de', 1200), count('ja', 2)],
      ['after 1 attempt', 'after 1,200 attempts', 'nach 1 Versuch', 'nach 1.200 Versuchen', '2 回目で成功'],
    );
  });
});

describe('the language', () => {
  const texts = createTexts();

  it('Foyer answers a request in the language that the browser prefers among Foyer’s languages', () => {
    const of = (header: string | undefined) => texts.forRequest(header).language;
    assert.equal(of('pt-BR, fr-CA;q=0.8, de;q=0.9'), 'de');
    assert.equal(of('de;q=0, es'), 'es');
    assert.equal(of('*'), 'en');
    assert.equal(of(undefined), 'en');
    assert.equal(of(`${'x,'.repeat(500)}de`), 'en');
    assert.equal(of('de;q=nonsense'), 'en');
  });

  it('Foyer uses the language of a person’s locale and ignores the region; if Foyer lacks the language, it uses English', () => {
    assert.deepEqual(
      ['ja-JP', 'es_LA', 'de', 'tlh', '', null, undefined].map((locale) => texts.forLocale(locale).language),
      ['ja', 'es', 'de', 'en', 'en', 'en', 'en'],
    );
  });

  it('Foyer uses the app’s default language if it has no language that the person or the browser asks for', () => {
    const german = createTexts({ defaultLanguage: 'de' });
    assert.equal(german.forLocale(null).language, 'de');
    assert.equal(german.forRequest('tlh').language, 'de');
    assert.equal(german.forRequest('fr').language, 'fr');
  });
});

describe('an app’s own texts', () => {
  it('an app’s own text replaces Foyer’s text in one language only, and can use the same placeholders', () => {
    const texts = createTexts({ en: { 'progress.done.message': 'Go {app}, go {place}!' } });
    const values = { app: 'A', place: 'B' };
    assert.equal(texts.forLocale('en').text('progress.done.message', values), 'Go A, go B!');
    assert.equal(texts.forLocale('de').text('progress.done.message', values), 'A ist in B bereit.');
  });

  it('an app can set texts for scopes, steps and the tagline; if a language lacks such a text, Foyer uses the one in the default language', () => {
    const texts = createTexts({
      en: { 'reason.chat:write': 'To greet you', 'scope.mine:own': 'Do my thing', 'app.tagline': 'Hello' },
      de: { 'step.sync-crm.doing': 'CRM wird abgeglichen', 'app.tagline': 'Hallo' },
    });
    const [english, german] = [texts.forLocale('en'), texts.forLocale('de')];
    assert.deepEqual(
      [english.reason('chat:write'), german.reason('chat:write')],
      ['To greet you', 'To greet you'],
    );
    assert.deepEqual([german.scope('mine:own'), german.scope('not:there')], ['Do my thing', undefined]);
    assert.deepEqual([english.app('tagline'), german.app('tagline')], ['Hello', 'Hallo']);
    const own = { todo: 'Sync the CRM', doing: 'Syncing the CRM' };
    assert.deepEqual(
      [english.step('sync-crm', own, 'doing'), german.step('sync-crm', own, 'doing')],
      ['Syncing the CRM', 'CRM wird abgeglichen'],
    );
  });

  it('a step that the app no longer has gets a title made from its name', () => {
    const words = createTexts().forLocale('en');
    const names = ['sync-crm_contacts', 'constructor', '__proto__', '-'];
    assert.deepEqual(
      names.map((name) => words.step(name, undefined, 'todo')),
      ['Sync crm contacts', 'Constructor', 'Proto', '-'],
    );
  });

  it('Foyer inserts a value into a message as plain text, so placeholders and tags in the value have no effect', () => {
    const words = createTexts().forLocale('en');
    const hostile = '{app} <b>x</b> ’';
    assert.equal(words.text('landing.title', { app: hostile }), `Add ${hostile} to Slack`);
  });

  it('textProblems reports unknown languages, keys and placeholders, and empty or malformed texts', () => {
    const problems = textProblems({
      defaultLanguage: 'tlh',
      xx: {},
      de: { 'no.such.key': 'x' },
      en: {
        'landing.title': 'Add {app} to {workspace}',
        'landing.button': '',
        'landing.next': 'open {brace',
        'home.retry': 5,
        'reason.chat:write': 'fine {as it is}',
      },
    });
    assert.deepEqual(
      problems.map(({ name }) => name),
      [
        'texts.defaultLanguage',
        'texts.xx',
        'texts.de["no.such.key"]',
        'texts.en["landing.title"]',
        'texts.en["landing.button"]',
        'texts.en["landing.next"]',
        'texts.en["home.retry"]',
      ],
    );
    assert.match(problems[3]?.problem ?? '', /\{workspace\}/);
    assert.match(problems[3]?.fix ?? '', /app/);
    assert.deepEqual(textProblems({ en: { 'landing.title': 'Get {app}' }, defaultLanguage: 'de' }), []);
    assert.deepEqual(textProblems(undefined), []);
    for (const wrong of ['hello', { en: [] }, { en: null }]) assert.equal(textProblems(wrong).length, 1);
  });

  it('Foyer has five languages: en, de, fr, es and ja', () => {
    assert.deepEqual(languages, ['en', 'de', 'fr', 'es', 'ja']);
  });
});
