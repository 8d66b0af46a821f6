import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elementSource, html, renderHtml, withBasePath } from '../../src/http/html.ts';

test('`html` escapes every value that it did not make itself', () => {
  assert.equal(
    renderHtml(html`<p title="${'"><img onerror=alert(1)>'}">${'<script>alert(1)</script>'} & ${"it's"}</p>`),
    '<p title="&quot;&gt;&lt;img onerror=alert(1)&gt;">&lt;script&gt;alert(1)&lt;/script&gt; & it&#39;s</p>',
  );
});

test('`html` inserts nested markup unchanged, joins arrays, and leaves out absent values', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  assert.equal(renderHtml(html`<ul>${items}</ul>`), '<ul><li>a</li><li>&lt;b&gt;</li></ul>');
  assert.equal(renderHtml(html`${false}${null}${undefined}${0}`), '0');
});

test('`html` does not accept an object that merely looks like markup', () => {
  const parsed = JSON.parse('{"markup":"<script>"}');
  assert.throws(() => renderHtml(html`${parsed}`));
});

test('`html` links only to http, https, mailto, slack and paths of this host', () => {
  const kept = [
    'https://example.com/a?b=1',
    'http://localhost:3000/',
    'mailto:help@example.com',
    'slack://app?team=T1',
    '/slack/install',
  ];
  const dropped = [
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'https://example.com/\nx',
    'data:text/html,<script>',
    'vbscript:x',
    '//evil.example',
    '/\\evil.example',
    '',
  ];
  for (const url of kept) assert.equal(renderHtml(html`<a href="${url}">x</a>`), `<a href="${url}">x</a>`);
  for (const url of dropped) assert.equal(renderHtml(html`<a href="${url}">x</a>`), '<a href="#">x</a>', url);
  const script = 'javascript:alert(1)';
  assert.equal(renderHtml(html`<form action="${script}">`), '<form action="#">');
  assert.equal(renderHtml(html`<button formaction="${script}">`), '<button formaction="#">');
  assert.equal(renderHtml(html`<img src="${script}">`), '<img src="#">');
});

test('`html` refuses a value in an unquoted attribute', () => {
  assert.throws(() => html`<a class=${'x onclick=alert(1)'}>x</a>`, /unquoted attribute/);
  assert.equal(renderHtml(html`<p>a = ${1}</p>`), '<p>a = 1</p>');
});

test('`elementSource` refuses a script or style that would end its element', () => {
  assert.throws(() => elementSource('"</script><script>alert(1)'), /end its element/);
  assert.equal(renderHtml(html`<style>${elementSource('a > b { }')}</style>`), '<style>a > b { }</style>');
});

test('`html` never lets any text break out of its element or attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const made = renderHtml(html`<p title="${text}">${text}</p>`);
      const inner = made.slice('<p title="'.length, -'</p>'.length);
      assert.equal((inner.match(/"/g) ?? []).length, 1);
      assert.equal((inner.match(/</g) ?? []).length, 0);
      assert.equal((inner.match(/>/g) ?? []).length, 1);
    }),
  );
});

test('`withBasePath` adds the base path to local addresses in attributes, but not to text or other addresses', () => {
  const text = ' href="/in-text"';
  const page = html`<a href="/a?b=/c">${text}</a><form action="${'/d'}"></form><a href="https://x.example/e">e</a><img src="//x.example/f">`;
  assert.equal(
    withBasePath(renderHtml(page), '/$&base'),
    '<a href="/$&base/a?b=/c"> href=&quot;/in-text&quot;</a><form action="/$&base/d"></form><a href="https://x.example/e">e</a><img src="//x.example/f">',
  );
});
