// Today: the queue of another colleague is one choice away.
document.addEventListener('change', e => { if (e.target.matches('[data-submit]')) e.target.form.requestSubmit(); });
