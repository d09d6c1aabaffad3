// A running meeting changes on its page by itself. The server sends the whole state; what the reader has opened, has
// focused and has scrolled to stays as it is.
(function () {
  "use strict";
  var live = document.getElementById("live");
  var status = document.getElementById("live-status");
  if (!live || !live.dataset.watch || !window.EventSource) {
    return;
  }
  var source = null;
  var pause = 1000;

  function say(what) {
    var text = what ? status.dataset[what] : "";
    if (status.textContent !== text) {
      status.textContent = text;
    }
  }

  function keysOfOpen() {
    return Array.prototype.map.call(live.querySelectorAll("details[open]"), function (one) {
      return one.dataset.key;
    });
  }

  // A place in the page that is the same before and after: the row's key, and which of its links or the row itself.
  function placeOf(element) {
    if (!element || !live.contains(element)) {
      return null;
    }
    if (element.id) {
      return { selector: "#" + CSS.escape(element.id) };
    }
    if (element.tagName === "SUMMARY" && element.parentElement.dataset.key) {
      return { selector: 'details[data-key="' + element.parentElement.dataset.key + '"] > summary' };
    }
    if (element.getAttribute("href")) {
      return { selector: 'a[href="' + CSS.escape(element.getAttribute("href")) + '"]' };
    }
    return null;
  }

  function show(html) {
    var open = keysOfOpen();
    var place = placeOf(document.activeElement);
    var selection = window.getSelection();
    if (selection && !selection.isCollapsed && live.contains(selection.anchorNode)) {
      return; // somebody is marking text; the next state comes soon
    }
    var fresh = document.createElement("template");
    fresh.innerHTML = html;
    open.forEach(function (key) {
      var one = fresh.content.querySelector('details[data-key="' + key + '"]');
      if (one) {
        one.open = true;
      }
    });
    live.replaceChildren(fresh.content);
    if (place) {
      var again = live.querySelector(place.selector);
      if (again) {
        again.focus({ preventScroll: true });
      }
    }
  }

  function later() {
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, 30000);
  }

  function connect() {
    fetch(live.dataset.watch, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (answer) {
        if (answer.status === 403 || answer.status === 404) {
          say("gone");
          return null;
        }
        return answer.ok ? answer.json() : Promise.reject(answer.status);
      })
      .then(function (answer) {
        if (answer) {
          listen(answer.stream);
        }
      })
      .catch(function () {
        say("lost");
        later();
      });
  }

  function listen(address) {
    source = new EventSource(address);
    source.addEventListener("state", function (event) {
      pause = 1000;
      say("");
      show(event.data);
    });
    source.addEventListener("done", function () {
      source.close();
      say("over");
    });
    source.addEventListener("gone", function () {
      source.close();
      say("gone");
    });
    source.onerror = function () {
      // While it is connecting the browser tries again by itself; closed, the address has grown old.
      if (source.readyState === EventSource.CLOSED) {
        later();
      } else {
        say("lost");
      }
    };
  }

  window.addEventListener("pagehide", function () {
    if (source) {
      source.close();
    }
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      connect();
    }
  });
  connect();
})();
