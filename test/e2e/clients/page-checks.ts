import type { Page } from 'playwright-core';

/** Runs in the page: what is wrong with it for people who do not see it, or not well. One line for each. */
const FINDINGS = `(() => {
  const findings = [];
  const shown = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const describe = (element) => element.outerHTML.slice(0, 120);
  const textOf = (ids) => ids.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
  const nameOf = (element) => {
    const labelled = element.getAttribute('aria-labelledby');
    if (labelled) return textOf(labelled);
    return element.getAttribute('aria-label')
      ?? (element.labels?.length ? [...element.labels].map((label) => label.textContent).join(' ') : null)
      ?? element.textContent;
  };
  for (const element of document.querySelectorAll('button, a[href], input, select, audio, dialog, section, nav')) {
    if (shown(element) && !nameOf(element)?.trim()) findings.push('no name: ' + describe(element));
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) findings.push('id twice: ' + id);
  for (const attribute of ['aria-controls', 'aria-labelledby', 'aria-describedby', 'for']) {
    for (const element of document.querySelectorAll('[' + attribute + ']')) {
      for (const id of element.getAttribute(attribute).split(' ')) {
        if (!document.getElementById(id)) findings.push(attribute + ' leads nowhere: ' + describe(element));
      }
    }
  }
  const levels = [...document.querySelectorAll('h1, h2, h3')].filter(shown).map(({ tagName }) => Number(tagName[1]));
  if (levels.filter((level) => level === 1).length > 1) findings.push('more than one h1');
  if (!document.documentElement.lang || !document.title) findings.push('no language or no title');
  if (document.querySelectorAll('main').length !== 1) findings.push('not one main');
  if (document.documentElement.scrollWidth > innerWidth) findings.push('wider than the window: ' + document.documentElement.scrollWidth);

  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba('Canvas');
  };
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText || !shown(element) || element.closest('noscript, .unseen, option')) continue;
    const [one, other] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) findings.push('contrast ' + contrast.toFixed(2) + ': ' + describe(element));
  }
  return findings;
})()`;

/**
 * Names of controls (WCAG 2.2, 4.1.2), ids that lead somewhere (1.3.1), contrast of text (1.4.3), and no sideways scrolling
 * (1.4.10), for all that is shown now. None is good.
 */
export function accessibilityFindings(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(FINDINGS);
}
