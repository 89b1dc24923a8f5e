/**
 * When what had the focus goes away, because somebody left or was let in, the browser puts the focus nowhere, and a keyboard
 * begins again at the top. So it goes to the heading of the part of the page that it was in.
 */
export function keepFocus(root: HTMLElement): void {
  let last: { element: Element; home: string | null } | null = null;
  root.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element)) return;
    last = { element: target, home: target.closest('[data-focus-home]')?.getAttribute('data-focus-home') ?? null };
  });
  new MutationObserver(() => {
    if (last === null || last.element.isConnected) return;
    const { home } = last;
    last = null;
    if (document.activeElement !== document.body) return;
    const heading = (home && document.getElementById(home)) || root.querySelector('h1');
    if (heading instanceof HTMLElement) heading.focus();
  }).observe(root, { childList: true, subtree: true });
}
