// A running meeting changes on its page by itself. Whoever comes, or comes back, is sent the whole state, and from then
// on the parts that differ. What the reader has opened, has focused, is marking and has scrolled to stays as it is.
(function () {
  "use strict";
  var live = document.getElementById("live");
  var status = document.getElementById("live-status");
  var news = document.getElementById("live-news");
  if (!live || !live.dataset.watch || !window.EventSource) {
    return;
  }
  // The server says something every ten seconds: after this long the line is dead, whatever the browser thinks of it.
  var SILENCE_MS = 25000;
  // A stream that was opened and brought nothing in this time is being gathered by a proxy.
  var FIRST_MS = 8000;
  var POLL_MS = 3000;
  var MOST_PAUSE_MS = 30000;
  // A lost line that is back at once is not worth a word.
  var PATIENCE_MS = 2500;
  var NEWS_MS = 4000;

  // Below which address an LMS's frame shows us; streams do not know it.
  var inside = document.documentElement.dataset.in;
  var source = null;
  var pause = 1000;
  var heardAt = Date.now();
  var isOver = false;
  var hasStreamed = false;
  var isBuffered = false;
  var timer = 0;
  var firstTimer = 0;
  var lostTimer = 0;

  // --- what is told -----------------------------------------------------------------------------------------------

  function say(what) {
    clearTimeout(lostTimer);
    lostTimer = 0;
    var text = what ? status.dataset[what] : "";
    if (status.textContent !== text) {
      status.textContent = text;
    }
  }

  function sayLostSoon() {
    if (!lostTimer && !isOver) {
      lostTimer = setTimeout(function () {
        say("lost");
      }, PATIENCE_MS);
    }
  }

  // Read out politely and not too often: of much that happens at once only the sum.
  var waiting = [];
  var total = "";
  var newsTimer = 0;

  function tell(change) {
    waiting = waiting.concat(change.news);
    total = change.total;
    if (waiting.length && !newsTimer) {
      newsTimer = setTimeout(function () {
        newsTimer = 0;
        news.textContent = waiting.length > 3 ? total : waiting.join(" ");
        waiting = [];
      }, news.textContent ? NEWS_MS : 500);
    }
  }

  // --- what is shown ----------------------------------------------------------------------------------------------

  // A place that is the same before and after: by id, by what is opened, or by where a link leads.
  function placeOf(element) {
    if (!element || element === document.body || !live.contains(element)) {
      return null;
    }
    if (element.id) {
      return "#" + CSS.escape(element.id);
    }
    if (element.tagName === "SUMMARY" && element.parentElement.dataset.key) {
      return 'details[data-key="' + CSS.escape(element.parentElement.dataset.key) + '"] > summary';
    }
    var owner = element.closest("[id]");
    var within = owner && owner !== live ? "#" + CSS.escape(owner.id) + " " : "";
    return element.getAttribute("href") ? within + 'a[href="' + CSS.escape(element.getAttribute("href")) + '"]' : null;
  }

  function isMarked(element) {
    var selection = window.getSelection();
    return Boolean(selection && !selection.isCollapsed && selection.containsNode(element, true));
  }

  function fragmentOf(html) {
    var template = document.createElement("template");
    template.innerHTML = html;
    if (inside) {
      template.content.querySelectorAll('[href^="/"]').forEach(function (link) {
        link.setAttribute("href", document.documentElement.dataset.in + link.getAttribute("href").slice(1));
      });
    }
    return template.content;
  }

  function keepOpen(before, after) {
    before.querySelectorAll("details[open][data-key]").forEach(function (one) {
      var same = after.querySelector('details[data-key="' + CSS.escape(one.dataset.key) + '"]');
      if (same) {
        same.open = true;
      }
    });
  }

  function keepingFocus(work) {
    var place = placeOf(document.activeElement);
    work();
    if (place && !live.contains(document.activeElement)) {
      var again = live.querySelector(place);
      if (again) {
        again.focus({ preventScroll: true });
      }
    }
  }

  // What was not shown because somebody marks text in it; when they have done the whole state is asked for.
  var isBehind = false;

  function showAll(html) {
    if (isMarked(live)) {
      isBehind = true;
      return;
    }
    isBehind = false;
    var fresh = fragmentOf(html);
    keepingFocus(function () {
      keepOpen(live, fresh);
      live.replaceChildren(fresh);
    });
  }

  function showChange(change) {
    keepingFocus(function () {
      change.cut.forEach(function (id) {
        var one = document.getElementById(id);
        if (one && isMarked(one)) {
          isBehind = true;
        } else if (one) {
          one.remove();
        }
      });
      change.put.forEach(put);
    });
    tell(change);
  }

  function put(one) {
    var list = document.getElementById(one[0]);
    var known = document.getElementById(one[1]);
    var before = one[2] ? document.getElementById(one[2]) : null;
    if (!list || (known && isMarked(known))) {
      isBehind = true;
      return;
    }
    if (one[3] === null) {
      if (known && known.nextElementSibling !== before) {
        list.insertBefore(known, before);
      }
      return;
    }
    var fresh = fragmentOf(one[3]).firstElementChild;
    if (known) {
      keepOpen(known, fresh);
      known.replaceWith(fresh);
    } else {
      fresh.classList.add("is-new");
    }
    if (!known || fresh.nextElementSibling !== before) {
      list.insertBefore(fresh, before);
    }
  }

  document.addEventListener("selectionchange", function () {
    if (isBehind && !isMarked(live)) {
      isBehind = false;
      again(0);
    }
  });

  // --- where it comes from ----------------------------------------------------------------------------------------

  function close() {
    clearTimeout(timer);
    clearTimeout(firstTimer);
    if (source) {
      source.close();
      source = null;
    }
  }

  function end(what) {
    isOver = true;
    close();
    say(what);
  }

  function again(after) {
    if (!isOver) {
      close();
      timer = setTimeout(connect, after);
    }
  }

  function later() {
    isBuffered = false;
    sayLostSoon();
    again(pause + Math.random() * 500);
    pause = Math.min(pause * 2, MOST_PAUSE_MS);
  }

  function heard() {
    heardAt = Date.now();
    pause = 1000;
    clearTimeout(firstTimer);
  }

  function connect() {
    heardAt = Date.now();
    fetch(live.dataset.watch, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (answer) {
        if (answer.status === 403 || answer.status === 404) {
          end("gone");
          return null;
        }
        document.dispatchEvent(new CustomEvent("page-prefix", { detail: answer.headers.get("Page-Prefix") }));
        return answer.ok ? answer.json() : Promise.reject(answer.status);
      })
      .then(function (answer) {
        if (answer && !isOver) {
          (isBuffered ? poll : listen)(answer.stream);
        }
      })
      .catch(later);
  }

  function listen(address) {
    close();
    var mine = (source = new EventSource(address));
    if (!hasStreamed) {
      firstTimer = setTimeout(function () {
        isBuffered = true;
        again(0);
      }, FIRST_MS);
    }
    function on(name, work) {
      mine.addEventListener(name, function (event) {
        if (mine === source) {
          hasStreamed = true;
          heard();
          say("");
          work(event);
        }
      });
    }
    on("state", function (event) {
      showAll(event.data);
    });
    on("change", function (event) {
      showChange(JSON.parse(event.data));
    });
    on("beat", function () {});
    on("done", function () {
      end("over");
    });
    on("gone", function () {
      end("gone");
    });
    mine.onerror = function () {
      clearTimeout(firstTimer);
      // While it is connecting the browser tries again by itself; closed, the address has grown old.
      if (mine === source && mine.readyState === EventSource.CLOSED) {
        later();
      } else {
        sayLostSoon();
      }
    };
  }

  // Whole answers instead of a stream, for whoever sits behind a proxy that passes on nothing before it has all.
  function poll(address) {
    fetch(address + "?once=1", { credentials: "same-origin" })
      .then(function (answer) {
        return answer.ok ? answer.json() : Promise.reject(answer.status);
      })
      .then(function (answer) {
        heard();
        say("slow");
        if (answer.html === null) {
          end("gone");
          return;
        }
        showAll(answer.html);
        if (answer.is_last) {
          end("over");
        } else {
          again(POLL_MS);
        }
      })
      .catch(later);
  }

  // A laptop that slept, a network that changed: the line looks alive and is not.
  function look() {
    if (!isOver && !document.hidden && Date.now() - heardAt > SILENCE_MS) {
      again(0);
    }
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", function () {
    again(0);
  });
  setInterval(look, 5000);

  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      again(0);
    }
  });
  connect();

  // --- the whole screen -------------------------------------------------------------------------------------------

  var full = document.getElementById("live-full");
  if (full && document.fullscreenEnabled) {
    full.hidden = false;
    full.addEventListener("click", function () {
      if (document.fullscreenElement) {
        document.exitFullscreen();
      } else {
        document.documentElement.requestFullscreen();
      }
    });
    document.addEventListener("fullscreenchange", function () {
      full.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
      document.documentElement.classList.toggle("is-full", Boolean(document.fullscreenElement));
    });
  }
})();
