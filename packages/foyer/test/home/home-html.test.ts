import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { context, fields, header, section } from '../../src/home/blocks.ts';
import { type HomeReader, homeHtml } from '../../src/home/home-html.ts';
import { renderHtml } from '../../src/http/html.ts';

const reader: HomeReader = {
  language: 'de',
  timezone: 'Europe/Berlin',
  nameOf: (userId) => (userId === 'U1' ? 'Zoë <b>' : undefined),
  actions: new Set(['foyer.retry_run']),
  path: '/in/',
  csrfToken: 'c"1',
};
const drawn = (...blocks: Parameters<typeof homeHtml>[0]): string => renderHtml(homeHtml(blocks, reader));

describe('App Home on a web page', () => {
  it('App Home on a web page renders mrkdwn as HTML, and escapes names and other text', () => {
    const page = drawn(
      header('Acme & Söhne <script>'),
      section('*Installed by* <@U1> and <@U2>\n>It failed: `missing_scope` &lt;b&gt;\n_soon_ a_b_c 2*3*4'),
      section('<https://x.example/?a=1&amp;b=2|Help &amp; more> <javascript:alert(1)|x> <!channel>'),
      section('<mailto:help@x.example|Get help>'),
    );
    assert.match(page, /<h2>Acme &amp; Söhne &lt;script&gt;<\/h2>/);
    assert.match(page, /<strong>Installed by<\/strong> <bdi translate="no">Zoë &lt;b&gt;<\/bdi>/);
    assert.match(page, /<bdi translate="no">U2<\/bdi>/);
    assert.match(page, /<blockquote><p>It failed: <code translate="no">missing_scope<\/code> &lt;b&gt;<\/p>/);
    assert.match(page, /<em>soon<\/em> a_b_c 2\*3\*4/);
    assert.match(page, /<a href="https:\/\/x\.example\/\?a=1&amp;b=2">Help &amp; more<\/a> x !channel/);
    assert.match(page, /<a href="mailto:help@x\.example">Get help<\/a>/);
    assert.doesNotMatch(page, /javascript:|<script/);
  });

  it('App Home on a web page shows times in the reader’s language and time zone, or in UTC if the time zone is unknown', () => {
    const at = '<!date^1764374400^{date_short_pretty}, {time}|2025-11-29 00:00 UTC>';
    assert.match(
      drawn(section(at)),
      /<time datetime="2025-11-29T00:00:00\.000Z">29\.11\.2025, 01:00<\/time>/,
    );
    for (const timezone of [null, 'Mars/Olympus']) {
      const page = renderHtml(homeHtml([section(at)], { ...reader, timezone }));
      assert.match(page, />29\.11\.2025, 00:00 UTC</);
    }
  });

  it('App Home on a web page renders fields, small text and https images, and puts each part in a card', () => {
    const picture = { type: 'image', image_url: 'https://a.example/1.png', alt_text: 'You' } as const;
    const page = drawn(fields([['Name', 'Zoë']], picture), { type: 'divider' }, context('small'));
    assert.equal(page.split('<section').length, 3);
    // The page's content security policy allows only https pictures.
    assert.doesNotMatch(
      drawn(fields([['a', 'b']], { ...picture, image_url: 'http://a.example/1.png' })),
      /<img/,
    );
    assert.match(page, /<div class="facts"><div><p><strong>Name<\/strong><\/p><p>Zoë<\/p><\/div><\/div>/);
    assert.match(page, /src="https:\/\/a\.example\/1\.png" alt="You"/);
  });

  it('App Home on a web page renders a button as a form if the page can handle it, as a link if it has a URL, or else not at all', () => {
    const label = (text: string) => ({ type: 'plain_text', text }) as const;
    const page = drawn({
      type: 'actions',
      elements: [
        { type: 'button', text: label('Try again'), action_id: 'foyer.retry_run', value: 'run_"1' },
        { type: 'button', text: label('Update'), action_id: 'x', url: 'https://foyer.example/slack/install' },
        { type: 'button', text: label('The app’s own'), action_id: 'own' },
      ],
    });
    assert.match(page, /<form method="post" action="\/in\/">/);
    assert.match(page, /name="csrf" value="c&quot;1"/);
    assert.match(page, /name="value" value="run_&quot;1"/);
    assert.match(page, /<a class="button-quiet" href="https:\/\/foyer\.example\/slack\/install">Update<\/a>/);
    assert.doesNotMatch(page, /own/);
  });
});
