import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { escapeMrkdwn, mrkdwnCode, mrkdwnLink, plainLine } from '../../src/slack/slack-text.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom('&', '<', '>', '*', '_', '`', '~', ':', '\n', '\u202e', 'a', '😀', '|'),
  }),
);

describe('escapeMrkdwn', () => {
  it('escapeMrkdwn leaves no working mention, link, markup, quote, line break or direction override in a text', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const escaped = escapeMrkdwn(text, 200);
        assert.doesNotMatch(escaped, /[<>*~`\n\r\u202a-\u202e\u2066-\u2069\u200e\u200f]/);
        assert.doesNotMatch(escaped, /&(?!(amp|lt|gt);)/);
        assert.doesNotMatch(escaped, /(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/);
        assert.doesNotMatch(escaped, /^&gt;/);
        assert.ok(escaped.length <= 200);
        assert.ok(escaped.isWellFormed());
      }),
    );
  });

  it('escapeMrkdwn does not change how an ordinary text looks in Slack', () => {
    assert.equal(escapeMrkdwn('R&D <Berlin>'), 'R&amp;D &lt;Berlin&gt;');
    assert.equal(escapeMrkdwn('missing_scope at 10:30'), 'missing_scope at 10:30');
    assert.equal(escapeMrkdwn('Élodie 山田 👩‍🚀'), 'Élodie 山田 👩‍🚀');
  });

  it('escapeMrkdwn replaces or removes the characters that Slack would interpret as markup', () => {
    assert.equal(escapeMrkdwn('<!channel> *now* _x_ :tada:'), '&lt;!channel&gt; ∗now∗ ˍxˍ ∶tada:');
    assert.equal(escapeMrkdwn('> quoted\n> twice'), '› quoted &gt; twice');
    assert.equal(escapeMrkdwn('ab\u202Edc'), 'abdc');
  });

  it('escapeMrkdwn shortens a long text with “…”, and never cuts inside an entity or a character', () => {
    assert.equal(escapeMrkdwn('a&&&', 8), 'a&amp;…');
    assert.equal(escapeMrkdwn('😀😀😀', 5), '😀😀…');
    assert.equal(escapeMrkdwn('abcde', 5), 'abcde');
    assert.equal(escapeMrkdwn('abcdef', 5), 'abcd…');
  });
});

describe('mrkdwnCode', () => {
  it('mrkdwnCode returns one code span, even if the name contains backticks or line breaks', () => {
    fc.assert(
      fc.property(nasty, (name) => {
        const code = mrkdwnCode(name, 80);
        assert.match(code, /^`[^`<>\n]+`$/);
        assert.ok(code.length <= 80);
      }),
    );
  });
});

describe('plainLine', () => {
  it('plainLine returns a single line that is not longer than its limit', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const line = plainLine(text, 30);
        assert.ok(line.length <= 30);
        assert.doesNotMatch(line, /[\n\r\u202e]/);
      }),
    );
  });
});

describe('mrkdwnLink', () => {
  it('if a character of a URL would end the link, mrkdwnLink escapes it', () => {
    assert.equal(
      mrkdwnLink('https://x.test/a|b?c=1&d=>', 'Help'),
      '<https://x.test/a%7Cb?c=1&amp;d=%3E|Help>',
    );
  });
});
