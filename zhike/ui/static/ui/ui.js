// 知客: what pages do without asking the server. Server talk is htmx's; state that matters is in the URL.
(() => {
  'use strict';
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const on = (name, fn, r = document) => r.addEventListener(name, fn);
  const say = document.body.dataset, mac = /Mac|iP(hone|ad)/.test(navigator.platform);
  const make = (tag, props = {}, ...kids) => { const e = Object.assign(document.createElement(tag), props); e.append(...kids); return e; };

  /* ---- toasts: 8 s, paused while hovered or focused */
  const live = new WeakSet();
  function hold(toast) {
    if (live.has(toast)) return;
    live.add(toast);
    let left = Number(toast.dataset.ms || 8000), since, timer;
    const go = () => { since = Date.now(); timer = setTimeout(() => toast.remove(), left); };
    const stop = () => { clearTimeout(timer); left -= Date.now() - since; };
    const busy = () => toast.matches(':hover, :focus-within');
    for (const n of ['mouseenter', 'focusin']) toast.addEventListener(n, stop);
    for (const n of ['mouseleave', 'focusout']) toast.addEventListener(n, () => setTimeout(() => busy() || (clearTimeout(timer), go())));
    go();
  }
  function toast({text, undo, again, trace}) {
    const box = make('div', {className: 'toast'}, make('span', {textContent: text}));
    if (trace) box.append(make('code', {className: 'trace', textContent: trace}));
    if (undo) {
      const b = make('button', {type: 'button', textContent: say.undo}, make('kbd', {className: 'kbd', textContent: 'Z'}));
      b.dataset.undo = ''; b.setAttribute('hx-post', undo); b.setAttribute('hx-swap', 'none'); box.append(b);
    }
    if (again) box.append(make('button', {type: 'button', textContent: say.retry, onclick() { box.remove(); again(); }}));
    const home = $(again || trace ? '#alerts' : '#toasts');
    home?.append(box);
    if (undo) window.htmx?.process(box);
  }
  for (const home of $$('.toasts')) {
    $$('.toast', home).forEach(hold);
    new MutationObserver(() => { $$('.toast', home).forEach(hold); while (home.children.length > 4) home.firstElementChild.remove(); }).observe(home, {childList: true});
  }
  on('toast', e => toast(e.detail.value ? {text: e.detail.value} : e.detail));
  on('click', e => { const b = e.target.closest('[data-undo]'); if (b) setTimeout(() => b.closest('.toast')?.remove(), 50); });

  /* ---- requests: optimism, refusals, lost connections */
  const ctxOf = e => e.detail.ctx || {};
  const quiet = ctx => (ctx.request?.method || 'GET') === 'GET' && /every|load|revealed/.test(ctx.sourceElement?.getAttribute('hx-trigger') || '');
  function unmark(ctx) { ctx.marked?.classList.remove('leaving'); }
  on('htmx:before:request', e => {
    const ctx = ctxOf(e);
    if (ctx.sourceElement?.dataset.optimistic === undefined) return;
    ctx.marked = ctx.target; ctx.target?.classList.add('leaving');
  });
  on('htmx:response:error', e => {
    const ctx = ctxOf(e), status = ctx.response.status;
    unmark(ctx);
    // 401 comes with a redirect to sign-in; 409 and 422 answer in place.
    if ([401, 409, 422].includes(status) || quiet(ctx)) return;
    const trace = ctx.response.headers.get('X-Trace') || '';
    toast({text: status < 500 ? say.notAllowed : say.notSaved, trace: say.trace.replace('{trace}', trace || status), again: status < 500 ? null : () => again(ctx)});
  });
  on('htmx:error', e => { const ctx = ctxOf(e); unmark(ctx); if (ctx.request && !ctx.response && !quiet(ctx)) toast({text: ctx.request.method === 'GET' ? say.noAnswer : say.notSaved, again: () => again(ctx)}); });
  function again(ctx) {
    const el = ctx.sourceElement, type = ctx.sourceEvent?.type;
    if (!el.isConnected) return;
    if (el.matches('form')) el.requestSubmit(); else window.htmx.trigger(el, type && type !== 'every' ? type : 'click');
  }

  /* ---- dialogs: whatever lands in #dialog opens; focus goes back by itself */
  const host = $('#dialog');
  if (host) new MutationObserver(() => {
    const d = $('dialog:not([open])', host);
    if (!d || d.dataset.done) return;
    d.showModal();
    d.addEventListener('close', () => { d.dataset.done = 1; d.remove(); });
  }).observe(host, {childList: true, subtree: true});
  on('dialog:close', () => $('dialog[open]', host)?.close());
  on('click', e => {
    const t = e.target;
    t.closest('[data-close]')?.closest('dialog, [popover]')?.[t.closest('[popover]') ? 'hidePopover' : 'close']();
    const opener = t.closest('[data-dialog]');
    if (opener) $(opener.dataset.dialog)?.showModal();
    if (t.matches('dialog.cmdk, dialog.dialog')) {
      const r = t.getBoundingClientRect(), outside = e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom;
      if (outside || t.matches('.cmdk')) t.close();
    }
  });

  /* ---- palette */
  const palette = $('#palette'), found = $('#palette-results'), asked = palette && $('input', palette);
  const hits = () => $$('a, button', found);
  function pick(i) {
    const all = hits();
    if (!all.length) return asked.removeAttribute('aria-activedescendant');
    const at = (i + all.length) % all.length;
    all.forEach((a, n) => { a.setAttribute('role', 'option'); a.id ||= `hit-${n}`; a.tabIndex = -1; a.setAttribute('aria-selected', n === at); });
    asked.setAttribute('aria-activedescendant', all[at].id);
    all[at].scrollIntoView({block: 'nearest'});
  }
  const picked = () => hits().findIndex(a => a.getAttribute('aria-selected') === 'true');
  function openPalette(text = '') {
    if (!palette || palette.open) return;
    palette.showModal(); asked.value = text; asked.select();
    asked.dispatchEvent(new Event('input', {bubbles: true}));
  }
  if (palette) {
    new MutationObserver(() => pick(0)).observe(found, {childList: true});
    on('keydown', e => {
      const step = {ArrowDown: 1, ArrowUp: -1}[e.key];
      if (step) { e.preventDefault(); pick(picked() + step); }
      if (e.key !== 'Enter' || e.isComposing) return;
      e.preventDefault();
      const hit = hits()[picked()];
      if (!hit) return;
      if ((e.metaKey || e.ctrlKey) && hit.href) window.open(hit.href, '_blank', 'noopener');
      else { palette.close(); hit.click(); }
    }, asked);
    on('click', e => { if (e.target.closest('a, button') && !e.metaKey && !e.ctrlKey) palette.close(); }, found);
    for (const box of $$('[data-palette]')) { on('focus', () => { openPalette(box.value); box.blur(); }, box); }
  }

  /* ---- keyboard (ui.md §12) */
  const typing = e => e.target.closest?.('input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]');
  const shown = el => el && !el.disabled && el.getAttribute('aria-disabled') !== 'true' && el.checkVisibility();
  const row = () => document.activeElement?.closest('[data-row]');
  function press(key) {
    const modal = $$('dialog[open]').pop(), pop = $(':popover-open');
    const roots = modal ? [modal] : [pop, row(), document].filter(Boolean);
    for (const root of roots) {
      const el = $$(`[data-key="${CSS.escape(key)}"]`, root).find(x => shown(x) && (root !== document || !x.closest('[data-row]')));
      if (el) { el.matches('input:not([type=checkbox]), textarea') ? el.focus() : el.click(); return true; }
    }
  }
  function move(step) {
    const rows = $$('[data-row]').filter(shown), at = rows.indexOf(row());
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
    next?.focus(); next?.scrollIntoView({block: 'nearest'});
    return Boolean(next);
  }
  let going = 0;
  const acts = {
    j: () => move(1), k: () => move(-1),
    '/': () => { const s = $('main [data-search], main [type=search]'); s ? (s.focus(), s.select()) : openPalette(); return true; },
    '?': () => { $('#keys')?.showModal(); return true; },
    z: () => { const b = $$('#toasts [data-undo]').pop(); b?.click(); return Boolean(b); },
    g: () => { going = Date.now() + 1500; return true; },
  };
  on('keydown', e => {
    if (e.isComposing || e.defaultPrevented) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (key === 'k' && (mac ? e.metaKey : e.ctrlKey)) { e.preventDefault(); openPalette(); return; }
    if (key === 'Escape') { drawer(false); const f = e.target.closest?.('form.ed[data-cancel]'); if (f) cancel(f); return; }
    if (e.metaKey || e.ctrlKey || e.altKey || typing(e) || say.keys === 'off') return;
    if (key === 'Enter' && e.target.matches?.('[data-row]')) { const o = $('[data-open], a[href]', e.target); if (o) { e.preventDefault(); o.click(); } return; }
    if (key.length > 1) { const s = {ArrowDown: 1, ArrowUp: -1}[key]; if (s && row() === e.target && move(s)) e.preventDefault(); return; }
    const modal = $('dialog[open]');
    if (going > Date.now()) {
      going = 0;
      const link = $(`[data-go="${CSS.escape(key)}"]`);
      if (link && !modal) { e.preventDefault(); link.click(); return; }
    }
    if (press(key) || (!modal && acts[key]?.())) e.preventDefault();
  });
  if (mac) for (const k of $$('[data-mac]')) k.textContent = k.dataset.mac;

  /* ---- theme: a cookie and the person's own row, so that the server can send it and nothing flashes */
  on('click', e => {
    if (!e.target.closest('[data-theme-toggle]')) return;
    const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    document.cookie = `zhike-theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
    if (say.themeUrl) window.htmx.ajax('POST', say.themeUrl, {source: document.body, swap: 'none', values: {theme: root.dataset.theme}});
    document.dispatchEvent(new Event('theme:changed'));
  });

  /* ---- drawer */
  const side = $('.side'), opener = $('[data-nav]');
  function drawer(open) {
    if (!side || side.hasAttribute('data-open') === open) return;
    side.toggleAttribute('data-open', open); opener?.setAttribute('aria-expanded', open);
    open ? $('a', side)?.focus({preventScroll: true}) : opener?.focus();
  }
  on('click', e => { if (e.target.closest('[data-nav]')) drawer(!side.hasAttribute('data-open')); else if (!e.target.closest('.side')) drawer(false); });

  /* ---- inline edit: saved on leaving, read view again on Esc */
  on('focusin', e => { const f = e.target.closest('form.ed'); if (f) f.was ??= new URLSearchParams(new FormData(f)).toString(); });
  on('focusout', e => {
    const f = e.target.closest('form.ed');
    if (!f || f.contains(e.relatedTarget) || f.left) return;
    if (new URLSearchParams(new FormData(f)).toString() !== f.was) f.requestSubmit(); else cancel(f);
  });
  function cancel(f) { if (!f.dataset.cancel || f.left) return; f.left = true; window.htmx.ajax('GET', f.dataset.cancel, {target: f, swap: 'outerHTML'}); }
  // While it is being saved it may lose the focus by being replaced; that must not send it twice.
  on('submit', e => { if (e.target.matches('form.ed')) e.target.left = true; }, window);
  on('htmx:finally:request', e => { if (e.target.matches?.('form.ed')) e.target.left = false; });
  on('htmx:after:swap', () => { const f = $('form.ed [autofocus]'); if (f && document.activeElement === document.body) f.focus(); });

  /* ---- selection and the bulk bar */
  let last;
  on('click', e => {
    const box = e.target.closest('[data-bulk] .check[name="ids"]'), all = e.target.closest('[data-check-all]');
    const form = (box || all || e.target.closest('[data-bulk-clear]'))?.closest('[data-bulk]');
    if (!form) return;
    const boxes = $$('.check[name="ids"]', form);
    if (all) boxes.forEach(b => { b.checked = all.checked; });
    else if (!box) boxes.forEach(b => { b.checked = false; });
    else if (e.shiftKey && last) { const [a, z] = [boxes.indexOf(last), boxes.indexOf(box)].sort((x, y) => x - y); if (a >= 0) boxes.slice(a, z + 1).forEach(b => { b.checked = box.checked; }); }
    last = box;
    count(form);
  });
  function count(form) {
    const boxes = $$('.check[name="ids"]', form), n = boxes.filter(b => b.checked).length, all = $('[data-check-all]', form), bar = $('.bulk', form);
    for (const b of boxes) b.closest('tr, [data-row]')?.setAttribute('aria-selected', b.checked);
    if (all) { all.checked = n > 0 && n === boxes.length; all.indeterminate = n > 0 && n < boxes.length; }
    if (bar) bar.hidden = !n;
    for (const c of $$('[data-bulk-count]', form)) c.textContent = n;
    form.dispatchEvent(new CustomEvent('bulk:changed', {bubbles: true, detail: {count: n}}));
  }
  const recount = () => $$('form[data-bulk]').forEach(f => { if ($('.check[name="ids"]:checked', f) || $('.bulk:not([hidden])', f)) count(f); });
  on('htmx:after:swap', recount); on('pageshow', recount, window);

  /* ---- clocks: one timer for all; bands change where the server said */
  const two = n => String(n).padStart(2, '0');
  const span = s => `${Math.floor(s / 3600) ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}` : Math.floor(s / 60)}:${two(s % 60)}`;
  function tick() {
    if (document.hidden) return;
    for (const c of $$('[data-deadline]')) {
      const left = Math.round((Date.parse(c.dataset.deadline) - Date.now()) / 1000), d = c.dataset;
      const band = left <= Number(d.risk || 0) ? 'risk' : left <= Number(d.warn || 0) ? 'warn' : 'ok';
      $('b', c).textContent = left < 0 ? say.late.replace('{time}', span(-left)) : span(left);
      if (d.b === band) continue;
      d.b = band;
      const m = $('.meter', c); if (m) m.className = `meter ${band}`;
    }
  }
  tick(); setInterval(tick, 1000); on('visibilitychange', tick);

  /* ---- a file dropped where it says so */
  for (const n of ['dragover', 'dragleave', 'drop']) on(n, e => {
    const zone = e.target.closest?.('.drop'), input = zone && $('input[type=file]', zone);
    if (!input) return;
    e.preventDefault(); zone.classList.toggle('over', n === 'dragover');
    if (n === 'drop' && e.dataTransfer.files.length) { input.files = e.dataTransfer.files; input.dispatchEvent(new Event('change', {bubbles: true})); }
  });
})();
