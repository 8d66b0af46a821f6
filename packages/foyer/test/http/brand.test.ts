import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brandProblems, completeBrand } from '../../src/http/brand.ts';
import { contrast, themeOf } from '../../src/http/pages/theme.ts';
import { brandOf } from '../support/test-face.ts';

const app = {
  name: 'Standup',
  description: 'Stand-ups that take a minute.',
  longDescription: 'Long.',
  backgroundColor: '#AA3355',
};

describe('a brand', () => {
  it('each brand value comes from the definition if it is set there, otherwise from the manifest or the environment', () => {
    const config = { app, privacyUrl: 'https://e.test/privacy', supportUrl: 'https://e.test/help' };
    const brand = completeBrand(config, { publisher: 'Acme', supportUrl: 'mailto:a@acme.test' });
    assert.deepEqual(brand, {
      name: 'Standup',
      tagline: 'Stand-ups that take a minute.',
      description: 'Long.',
      color: '#aa3355',
      logo: null,
      publisher: 'Acme',
      siteUrl: null,
      privacyUrl: 'https://e.test/privacy',
      supportUrl: 'mailto:a@acme.test',
    });
  });

  it('a brand uses the app’s name if it has no publisher, and a default color if its own color is invalid', () => {
    assert.equal(brandOf('Standup').publisher, 'Standup');
    assert.equal(brandOf('Standup', { color: 'red' }).color, brandOf().color);
  });

  it('brandProblems reports every unknown key and every invalid value of a brand, each with a fix', () => {
    const problems = brandProblems({
      colour: '#ffffff',
      color: 'red',
      logo: 'logo.gif',
      name: '',
      privacyUrl: 'javascript:alert(1)',
      supportUrl: null,
      siteUrl: 'https://acme.test',
    });
    assert.deepEqual(
      problems.map(({ name }) => name),
      ['brand.colour', 'brand.color', 'brand.logo', 'brand.name', 'brand.privacyUrl'],
    );
    assert.ok(problems.every(({ fix }) => fix !== ''));
    assert.deepEqual(brandProblems(undefined), []);
  });
});

describe('the theme derived from a brand color', () => {
  const grounds = { light: ['#f7f6f3', '#ffffff'], dark: ['#131416', '#1b1d20'] } as const;
  const colors = [
    '#000000',
    '#ffffff',
    '#ffee00',
    '#808080',
    '#777777',
    '#1f4d3f',
    '#e01e5a',
    '#36c5f0',
    '#0000ff',
  ];

  it('the theme derived from a brand color is readable in light and dark mode, even if the color is black, white, gray or very bright', () => {
    for (const color of colors) {
      const theme = themeOf(color);
      assert.ok(contrast(theme.tile, theme.onTile) >= 4.5, `${color} tile`);
      for (const name of ['light', 'dark'] as const) {
        const { accent, button, onButton, buttonHover, wash } = theme[name];
        for (const ground of [...grounds[name], wash]) {
          assert.ok(contrast(accent, ground) >= 4.5, `${color} ${name} on ${ground}`);
        }
        assert.ok(contrast(button, grounds[name][0]) >= 1.2, `${color} ${name} button on the page`);
        assert.ok(contrast(onButton, button) >= 4.5, `${color} ${name} button`);
        assert.ok(contrast(onButton, buttonHover) >= 4.5, `${color} ${name} button on hover`);
      }
    }
  });

  it('the theme derived from a brand color keeps a color that is already readable', () => {
    assert.equal(themeOf('#1f4d3f').light.accent, '#1f4d3f');
    assert.equal(themeOf('#ffd23f').light.button, '#ffd23f');
    assert.equal(themeOf('#e01e5a').tile, '#e01e5a');
  });
});
