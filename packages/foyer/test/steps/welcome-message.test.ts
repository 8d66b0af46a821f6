import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { welcomeMessage } from '../../src/steps/send-welcome.ts';
import { createTexts } from '../../src/texts/create-texts.ts';
import { brandOf, english } from '../support/test-face.ts';

const content = {
  words: english,
  brand: brandOf('Foyer', { tagline: 'A welcome done well.' }),
  userId: 'U1',
  personName: 'Grace',
  placeName: 'Acme',
  links: {
    desktopUrl: 'slack://app?team=T1&id=A1&tab=home',
    webUrl: 'https://slack.com/app_redirect?app=A1',
  },
};

describe('the welcome message', () => {
  it('the welcome message greets the person by name, names the workspace, and has a button that opens the app', () => {
    const { text, blocks } = welcomeMessage(content);
    assert.equal(text, 'Hi Grace, thanks for installing Foyer in Acme.');
    const button = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []))[0];
    assert.deepEqual(button?.type === 'button' && [button.text.text, button.url], [
      'Open Foyer',
      content.links.webUrl,
    ]);
    assert.match(JSON.stringify(blocks), /A welcome done well\..*Start here:/);
    assert.doesNotMatch(JSON.stringify(blocks), /Get help|Privacy/);
  });

  it('the welcome message links to the help and privacy pages if they are set', () => {
    const { blocks } = welcomeMessage({
      ...content,
      brand: brandOf('Foyer', {
        supportUrl: 'mailto:help@example.com',
        privacyUrl: 'https://example.com/privacy',
      }),
    });
    const written = JSON.stringify(blocks);
    assert.match(written, /<mailto:help@example\.com\|Get help>/);
    assert.match(written, /<https:\/\/example\.com\/privacy\|Privacy>/);
  });

  it('the welcome message @-mentions the person if Slack sent no name', () => {
    assert.match(
      welcomeMessage({ ...content, personName: null, placeName: null }).text,
      /^Hi <@U1>, thanks for installing Foyer\./,
    );
  });

  it('a name in the welcome message cannot ping anyone, add a link, or change the text around it', () => {
    const hostile = '<!channel> *<https://evil.example|free>* & `x`';
    const { text, blocks } = welcomeMessage({ ...content, personName: hostile, placeName: hostile });
    for (const written of [text, JSON.stringify(blocks)]) {
      assert.doesNotMatch(written, /<!channel>|<https:\/\/evil/);
      assert.match(written, /&lt;!channel&gt;/);
    }
  });

  it('the welcome message is in the person’s language, with the app’s own texts', () => {
    const words = createTexts({ de: { 'welcome.action': 'Tippe /standup.' } }).forLocale('de-AT');
    const { text, blocks } = welcomeMessage({ ...content, words });
    assert.equal(text, 'Hallo Grace, danke, dass Sie Foyer installiert haben – in Acme.');
    assert.match(JSON.stringify(blocks), /Tippe \/standup\./);
  });
});
