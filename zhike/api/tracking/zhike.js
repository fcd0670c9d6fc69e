/* zhike.js: page and feature events, kept until they are stored. See docs/how-to/track-events.md */
((w, d) => {
  const P = "zhike_", E = P + "e_", me = d.currentScript, given = w.zhike || []
  if (given.init) return
  let key, url, timer, busy, wait = 0, S
  try { S = w.localStorage; S.setItem(P, 1) } catch (_) {
    S = { getItem: k => S[k], setItem: (k, v) => { S[k] = v }, removeItem: k => delete S[k] }
  }
  const hex = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => (b + 256).toString(16).slice(1)).join("")
  const keep = (k, v) => { try { S.setItem(P + k, v) } catch (_) {} }
  const kept = k => S.getItem(P + k)
  const name = s => String(s).slice(0, 200)
  const all = () => Object.keys(S).filter(k => !k.indexOf(E)).sort()
  const drop = keys => keys.forEach(k => S.removeItem(k))
  const later = ms => { clearTimeout(timer); timer = setTimeout(send, ms) }
  const failed = s => { wait = Math.min(Math.max(s * 1e3 || 0, wait * 2, 1e3), 3e5); later(wait) }

  function send(leaving) {
    if (!key || (busy && leaving !== 1)) return
    let size = 0
    const batch = all().filter(k => (size += S.getItem(k).length) < 2e4)
    if (!batch[0]) return
    const body = `{"writeKey":"${key}","sentAt":"${new Date().toISOString()}","batch":[${batch.map(k => S.getItem(k))}]}`
    // A beacon tells nothing of its fate, so its events stay and are sent again: their messageId makes that harmless.
    if (leaving === 1) return navigator.sendBeacon?.(url, body)
    busy = 1
    fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" }).then(r => {
      busy = 0
      if (r.ok || r.status == 400 || r.status == 413) { wait = 0; drop(batch); all()[0] && later(0) }
      else failed(r.headers.get("Retry-After"))
    }).catch(() => { busy = 0; failed() })
  }

  function put(type, more) {
    const now = new Date(), id = hex(), group = kept("group")
    if (!kept("anon")) keep("anon", hex())
    const text = JSON.stringify({
      type, messageId: id, timestamp: now.toISOString(), anonymousId: kept("anon") || id,
      userId: kept("user") || undefined, context: group ? { groupId: group } : undefined, ...more
    })
    const old = all()
    drop(old.slice(999))
    if (text.length < 2e4) keep("e_" + +now + id, text)
    if (!busy && !wait) later(old.length > 18 ? 0 : 1e3)
  }

  const api = w.zhike = {
    init(writeKey, options) {
      key = writeKey
      url = (options?.host || new URL(me.src).origin) + "/v1/batch"
      drop(all().filter(k => k.slice(E.length, E.length + 13) < Date.now() - 5e8))
      later(0)
    },
    page(title, more) {
      const { origin, pathname } = location
      put("page", { name: title && name(title), properties: { path: pathname, url: origin + pathname, title: d.title, ...more } })
    },
    track(event, properties) { put("track", { event: name(event), properties }) },
    identify(user, traits) { keep("user", name(user)); put("identify", { traits }) },
    group(id, traits) { keep("group", name(id)); put("group", { groupId: name(id), traits }) },
    reset() { drop([P + "user", P + "anon", P + "group"]) },
    push(...calls) { calls.forEach(([call, ...rest]) => api[call](...rest)) }
  }
  d.addEventListener("visibilitychange", () => d.visibilityState == "hidden" && send(1))
  w.addEventListener("pagehide", () => send(1))
  d.addEventListener("click", e => {
    const found = e.target.closest?.("[data-zhike]")
    found && api.track(found.dataset.zhike)
  }, true)
  api.push(...given)
})(window, document)
