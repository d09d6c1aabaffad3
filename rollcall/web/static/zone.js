// Tells the server once in which time zone its reader lives. Runs before anything is shown, so that the first page need
// not be drawn twice; without it, times are shown in the configured zone, which the page names. In a frame, where there
// may be no cookies, the visit is told.
(function () {
  "use strict";
  var zone = "";
  try {
    zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  } catch (error) {
    return;
  }
  var page = document.documentElement.dataset;
  if (page.in) {
    if (zone && page.zone !== zone && page.method === "GET") {
      fetch(page.in + "zone", { method: "POST", body: new URLSearchParams({ zone: zone }) }).then(
        function (answer) {
          if (answer.ok) {
            location.reload();
          }
        },
        function () {}
      );
    }
    return;
  }
  var told = (document.cookie.match(/(?:^|; )zone=([^;]*)/) || [])[1] || "";
  if (!/^[A-Za-z0-9_+\/-]+$/.test(zone) || told === zone) {
    return;
  }
  var secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = "zone=" + zone + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
  var isKept = document.cookie.indexOf("zone=" + zone) >= 0;
  var isElsewhere = document.documentElement.dataset.zone !== zone;
  if (isKept && isElsewhere && document.documentElement.dataset.method === "GET") {
    location.reload();
  }
})();
