// A page in an LMS's frame may stand below an address that grows old. Whatever it asks tells it the newest form; links,
// forms and what is asked next take it from there, and so does a reload. Nothing is kept in the browser.
(function () {
  "use strict";
  var root = document.documentElement;
  var NAMES = ["href", "action", "formaction", "hx-get", "hx-post", "data-watch", "data-in"];

  function renew(prefix) {
    var before = root.dataset.in;
    var now = prefix + "/";
    if (!prefix || now === before) {
      return;
    }
    NAMES.forEach(function (name) {
      document.querySelectorAll("[" + name + '^="' + CSS.escape(before) + '"]').forEach(function (one) {
        one.setAttribute(name, now + one.getAttribute(name).slice(before.length));
      });
    });
    if (location.pathname.indexOf(before) === 0) {
      history.replaceState(history.state, "", now + (location.pathname + location.search + location.hash).slice(before.length));
    }
  }

  document.addEventListener("page-prefix", function (event) {
    renew(event.detail);
  });
  document.addEventListener("htmx:beforeOnLoad", function (event) {
    renew(event.detail.xhr.getResponseHeader("Page-Prefix"));
  });
  // What htmx has read from an element before the address was renewed.
  document.addEventListener("htmx:configRequest", function (event) {
    event.detail.path = event.detail.path.replace(/^\/in\/[^/]+\//, root.dataset.in);
  });

  // A search changes the address as one types: the new window opens what is seen.
  document.addEventListener("submit", function (event) {
    var to = event.target.elements.namedItem("to");
    if (to && event.target.closest(".visit") && location.pathname.indexOf(root.dataset.in) === 0) {
      to.value = (location.pathname + location.search).slice(root.dataset.in.length - 1);
    }
  });
})();
