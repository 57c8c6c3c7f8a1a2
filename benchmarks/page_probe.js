// Runs in the page before anything of its own: notes when what was waited for is painted. Times are milliseconds.
(() => {
  const probe = (window.probe = { usable: null, words: {}, frames: [], tasks: [] });
  const clock = () => performance.timeOrigin + performance.now();

  /** Call back when what is in the document now is on the screen. */
  const painted = (act) => requestAnimationFrame(() => new Promise((done) => setTimeout(done)).then(act));

  const isShown = (selector) => document.querySelector(selector)?.getClientRects().length > 0;

  function look() {
    if (probe.usable === null && isShown("a.record") && (isShown(".job") || isShown(".welcome"))) {
      probe.usable = 0;
      painted(() => (probe.usable = performance.now()));
    }
    for (const place of document.querySelectorAll(".partial, [role=log]")) {
      for (const word of place.textContent.match(/\b\d{3,4}\b/g) ?? []) note(word);
    }
  }

  function note(word) {
    if (word in probe.words) return;
    probe.words[word] = null;
    painted(() => (probe.words[word] = clock()));
  }

  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  new PerformanceObserver((list) => probe.tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: "longtask", buffered: true });

  let before = null;
  const frame = (now) => {
    if (before !== null) probe.frames.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };

  /** Forget the frames and tasks so far, and watch those to come. */
  probe.watch = () => {
    probe.frames = [];
    probe.tasks = [];
    if (before === null) requestAnimationFrame(frame);
  };
})();
