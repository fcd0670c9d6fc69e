// The plan editor without a server: line numbers beside the text, marks at lines with problems, jumps to a line.
(() => {
  'use strict';
  const text = document.getElementById('plan-text'), nums = document.getElementById('plan-nums');
  if (!text || !nums) return;
  let shown = '';

  function draw() {
    const bad = new Set((document.getElementById('findings')?.dataset.lines || '').split(' '));
    const count = text.value.split('\n').length, key = `${count} ${[...bad]}`;
    if (key === shown) return;
    document.getElementById('plan-publish')?.setAttribute('aria-disabled', String(bad.size > 0 && !bad.has('')));
    shown = key;
    nums.replaceChildren(...Array.from({length: count}, (_, i) => {
      const row = document.createElement('div');
      row.textContent = i + 1;
      if (bad.has(String(i + 1))) row.className = 'bad';
      return row;
    }));
    follow();
  }
  function follow() { nums.scrollTop = text.scrollTop; }

  function go(line, column) {
    const lines = text.value.split('\n'), start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus();
    text.setSelectionRange(start + column - 1, start + (lines[line - 1] || '').length);
    text.scrollTop = Math.max(0, (line - 6) * 20);
    text.scrollIntoView({block: 'nearest'});
  }

  text.addEventListener('input', draw);
  text.addEventListener('scroll', follow, {passive: true});
  document.addEventListener('htmx:after:swap', draw);
  document.addEventListener('click', event => {
    const link = event.target.closest('[data-line]');
    if (!link) return;
    event.preventDefault();
    go(Number(link.dataset.line), Number(link.dataset.column));
  });
  text.addEventListener('keydown', event => {
    if (event.key !== 'Tab' || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();  // YAML takes no tabs; Esc, then Tab leaves the editor.
    if (text.dataset.leave) { delete text.dataset.leave; text.form.querySelector('.acts button').focus(); return; }
    text.setRangeText('  ', text.selectionStart, text.selectionEnd, 'end');
    text.dispatchEvent(new Event('input', {bubbles: true}));
  });
  text.addEventListener('keyup', event => { if (event.key === 'Escape') text.dataset.leave = '1'; else if (event.key !== 'Tab') delete text.dataset.leave; });

  let saved = text.value;
  text.form.addEventListener('submit', () => { saved = text.value; });
  window.addEventListener('beforeunload', event => { if (text.value !== saved) event.preventDefault(); });
  draw();
})();
