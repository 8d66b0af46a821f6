import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { welcomeMessage } from '../../src/steps/welcome-message.ts';

const content = {
  appName: 'Foyer',
  userId: 'U1',
  personName: 'Grace',
  placeName: 'Acme',
  links: {
    desktopUrl: 'slack://app?team=T1&id=A1&tab=home',
    webUrl: 'https://slack.com/app_redirect?app=A1',
  },
  supportUrl: undefined,
  privacyUrl: undefined,
};

describe('the welcome message', () => {
  it('greets by name, says where, and opens Home', () => {
    const { text, blocks } = welcomeMessage(content);
    assert.equal(text, 'Hi Grace, Foyer is installed in Acme. Thank you for letting it in!');
    const button = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []))[0];
    assert.deepEqual(button?.type === 'button' && [button.text.text, button.url], [
      'Open Home',
      content.links.desktopUrl,
    ]);
    assert.match(
      JSON.stringify(blocks),
      /<https:\/\/slack\.com\/app_redirect\?app=A1\|Open Home in a browser>/,
    );
    assert.doesNotMatch(JSON.stringify(blocks), /Get help|Privacy/);
  });

  it('links to help and privacy where they are set', () => {
    const { blocks } = welcomeMessage({
      ...content,
      supportUrl: 'mailto:help@example.com',
      privacyUrl: 'https://example.com/privacy',
    });
    const written = JSON.stringify(blocks);
    assert.match(written, /<mailto:help@example\.com\|Get help>/);
    assert.match(written, /<https:\/\/example\.com\/privacy\|Privacy>/);
  });

  it('mentions the person where Slack told no name', () => {
    assert.match(
      welcomeMessage({ ...content, personName: null, placeName: null }).text,
      /^Hi <@U1>, Foyer is installed\./,
    );
  });

  it('lets no name ping, link or change the text around it', () => {
    const hostile = '<!channel> *<https://evil.example|free>* & `x`';
    const { text, blocks } = welcomeMessage({ ...content, personName: hostile, placeName: hostile });
    for (const written of [text, JSON.stringify(blocks)]) {
      assert.doesNotMatch(written, /<!channel>|<https:\/\/evil/);
      assert.match(written, /&lt;!channel&gt;/);
    }
  });
});
