// What a page in an LMS's frame does there: ends a registration, and sends a teacher's choice. Each has a button, which
// is all that is needed without this file for the second.
(function () {
  "use strict";
  document.querySelectorAll("[data-lti-close]").forEach(function (button) {
    button.addEventListener("click", function () {
      var above = window.opener || window.parent;
      above.postMessage({subject: "org.imsglobal.lti.close"}, button.dataset.ltiClose);
    });
  });
  document.querySelectorAll("form[data-lti-send]").forEach(function (form) {
    form.submit();
  });
})();
