// The customer list: what the selection is worth, finding a field among sixty, and waiting for a past day.
(() => {
  'use strict';
  const all = (s, r = document) => [...r.querySelectorAll(s)];
  document.addEventListener('bulk:changed', e => {
    const out = e.target.querySelector('[data-bulk-worth]');
    if (!out || !out.dataset.currency) return;
    const sum = all('.check[name="ids"]:checked', e.target).reduce((total, box) => total + Number(box.dataset.worth || 0), 0);
    const format = new Intl.NumberFormat(document.documentElement.lang, {style: 'currency', currency: out.dataset.currency, notation: 'compact', maximumFractionDigits: 1});
    out.textContent = sum ? format.format(sum) : '';
  });
  document.addEventListener('input', e => {
    if (!e.target.matches('[data-narrow]')) return;
    const wanted = e.target.value.trim().toLowerCase();
    for (const group of all('[data-group]', e.target.closest('.filter'))) {
      const fields = all('button', group);
      for (const field of fields) field.hidden = !field.textContent.toLowerCase().includes(wanted);
      group.hidden = fields.every(field => field.hidden);
    }
  });
  // The first list of a past day takes a moment: the page that is left says so until it is there.
  document.addEventListener('submit', e => {
    const form = e.target, place = form.dataset.wait && document.querySelector(form.dataset.wait);
    if (place && !e.defaultPrevented) place.replaceChildren(form.querySelector('template').content.cloneNode(true));
  });
  addEventListener('pageshow', e => { if (e.persisted && document.querySelector('#rows > [aria-busy]')) location.reload(); });
})();
