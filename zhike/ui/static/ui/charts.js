// Charts: the page gives data (see zhike/ui/charts.py), colours come from the style sheet, so both themes share one option.
(() => {
  'use strict';
  if (!window.echarts) return;
  const probe = document.createElement('i');
  probe.hidden = true;
  document.body.append(probe);
  const NAMES = {ink: 'ink', ink2: 'ink-2', ink3: 'ink-3', line: 'line-2', grid: 'grid', surface: 'surface', accent: 'c1', mid: 'accent-mid', soft: 'accent-soft', grey: 'line-3',
    c1: 'c1', c2: 'c2', c3: 'c3', c4: 'c4', c5: 'c5', ok: 'ok', warn: 'warn', risk: 'risk'};
  function tokens() {
    const t = {};
    for (const [key, name] of Object.entries(NAMES)) { probe.style.color = `var(--${name})`; t[key] = getComputedStyle(probe).color; }
    return t;
  }
  const fade = (rgb, a) => rgb.replace(/^rgb\((.*)\)$/, (_, c) => `rgba(${c}, ${a})`);
  const colour = (t, name, i) => t[name] || t[`c${i + 1}`];

  const wide = name => [...name].reduce((sum, c) => sum + (c > '\u2e7f' ? 12 : 7), 0);

  function limits(d, t, axis) {
    return {symbol: 'none', silent: true, animation: false, label: {show: true, position: 'insideStartTop', formatter: p => p.name, color: t.ink3, fontSize: 11, distance: [0, 2]},
      lineStyle: {type: 'dashed', width: 1}, data: (d.limits || []).map(l => ({[axis]: l.value, name: l.name || '', lineStyle: {color: t[l.band] || t.grey}, label: {show: Boolean(l.name)}}))};
  }
  function band(s, i, t) {
    if (!s.low || !s.high) return [];
    const base = {type: 'line', stack: `band${i}`, silent: true, showSymbol: false, lineStyle: {opacity: 0}, tooltip: {show: false}};
    return [{...base, data: s.low}, {...base, data: s.high.map((h, n) => h === null || s.low[n] === null ? null : h - s.low[n]), areaStyle: {color: fade(colour(t, s.color, i), .16)}}];
  }
  function line(d, t) {
    const one = d.series.length === 1, named = d.series.filter(s => s.end !== false).map(s => one ? 40 : 44 + wide(s.name)), room = Math.max(12, ...named);
    return {
      grid: {left: 34, right: room, top: 12, bottom: 22},
      xAxis: {type: 'category', data: d.x, boundaryGap: false, axisLabel: {interval: Math.max(Math.floor(d.x.length / 3), 0)}},
      yAxis: {min: d.min, max: d.max, interval: d.interval, splitNumber: 3, splitLine: {show: !(d.limits || []).length}},
      series: d.series.flatMap((s, i) => [...band(s, i, t), {
        type: 'line', name: s.name, data: s.values, showSymbol: s.values.filter(v => v !== null).length === 1, symbolSize: 5, connectNulls: false, itemStyle: {color: colour(t, s.color, i)},
        lineStyle: {width: s.color === 'grey' ? 1 : 1.75, color: colour(t, s.color, i), type: s.dash ? 'dashed' : 'solid'}, areaStyle: s.area ? {color: t.soft, opacity: 1} : undefined,
        endLabel: {show: s.end !== false, formatter: one ? '{c}' : '{a} {c}', color: t[s.end] || colour(t, s.color, i), fontWeight: 600, distance: 5},
        markLine: i ? undefined : limits(d, t, 'yAxis'),
        markPoint: i || !d.marks ? undefined : {symbol: 'circle', symbolSize: 5, itemStyle: {color: t.ink}, label: {show: true, position: 'left', formatter: '{b}', color: t.ink2, fontSize: 11, distance: 8, offset: [0, 12]},
          data: d.marks.map(m => ({name: m.name, coord: [m.at, s.values[m.at]]}))},
      }]),
    };
  }
  function bar(d, t) {
    const names = {type: 'category', data: d.x, axisLabel: {color: t.ink2, fontSize: 12}, splitLine: {show: false}, inverse: Boolean(d.across)};
    const values = {type: 'value', min: d.min ?? 0, max: d.max, interval: d.interval, splitNumber: 3, minInterval: d.whole ? 1 : 0};
    return {
      flip: d.across, grid: {left: d.across ? 92 : 36, right: 48, top: 8, bottom: 22},
      xAxis: d.across ? values : names, yAxis: d.across ? {...names, axisLine: {show: false}} : values,
      series: [...d.series.map((s, i) => ({type: 'bar', name: s.name, stack: d.stack ? 'all' : undefined, data: s.values, barMaxWidth: d.across ? 10 : 22, itemStyle: {color: s.color ? colour(t, s.color, i) : i ? colour(t, '', i) : t.mid},
        label: {show: !d.stack && d.series.length === 1, position: d.across ? 'right' : 'top', color: t.ink2, fontSize: 11}, markLine: i ? undefined : limits(d, t, d.across ? 'xAxis' : 'yAxis')})),
      ...(d.ticks ? [{type: 'scatter', silent: true, symbol: 'rect', symbolSize: d.across ? [2, 14] : [18, 2], itemStyle: {color: t.ink}, z: 5, data: d.ticks.map((v, i) => d.across ? [v, i] : [i, v])}] : [])],
    };
  }
  function dress(option, d, t) {
    const axis = (a, value) => ({...a, axisLine: {show: !value, lineStyle: {color: t.line}, ...a.axisLine}, axisTick: {show: false}, splitLine: {show: value, ...a.splitLine, lineStyle: {color: t.grid}},
      axisLabel: {color: t.ink3, fontSize: 11, margin: 8, hideOverlap: true, ...a.axisLabel}});
    return {animation: false, textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: t.ink2}, ...option,
      tooltip: {trigger: 'axis', confine: true, backgroundColor: t.surface, borderColor: t.line, textStyle: {color: t.ink, fontSize: 12}, axisPointer: {lineStyle: {color: t.grey}}, valueFormatter: v => v === undefined || v === null ? '—' : `${v}${d.unit ? ` ${d.unit}` : ''}`},
      xAxis: axis(option.xAxis, Boolean(option.flip)), yAxis: axis(option.yAxis, !option.flip)};
  }

  const drawn = new Map();
  function draw(box) {
    const source = document.getElementById(`${box.id}-data`);
    if (!source) return;
    const d = JSON.parse(source.textContent), t = tokens();
    const chart = window.echarts.getInstanceByDom(box) || window.echarts.init(box, null, {renderer: 'svg'});
    chart.setOption(dress((d.kind === 'bar' ? bar : line)(d, t), d, t), true);
    if (drawn.has(box)) return;
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(box);
    drawn.set(box, () => { watch.disconnect(); chart.dispose(); });
  }
  function all() {
    for (const [box, drop] of drawn) if (!box.isConnected) { drop(); drawn.delete(box); }
    document.querySelectorAll('.chart[id^="ch-"]').forEach(draw);
  }
  all();
  for (const name of ['theme:changed', 'htmx:after:swap']) document.addEventListener(name, all);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', all);
})();
