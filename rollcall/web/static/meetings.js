// The list of meetings asks for itself again every few seconds. It is only exchanged for a list that says something
// else, and never while somebody is marking text in it.
(function () {
  "use strict";

  function results() {
    return document.getElementById("results");
  }

  function isMarked(list) {
    var selection = window.getSelection();
    return selection && !selection.isCollapsed && list.contains(selection.anchorNode);
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.elt === results() && document.hidden) {
      event.preventDefault();
    }
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    var list = results();
    if (event.detail.requestConfig.elt !== list) {
      return;
    }
    // Whoever was signed out meanwhile, or a server that restarts, answers with another page: the old list stays.
    var answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    var fresh = event.detail.xhr.status === 200 && answer.getElementById("results");
    if (!fresh || fresh.innerHTML === list.innerHTML || isMarked(list)) {
      event.detail.shouldSwap = false;
    }
  });
})();
