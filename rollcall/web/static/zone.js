// Tells the server once in which time zone its reader lives. Runs before anything is shown, so that the first page need
// not be drawn twice; without it, times are shown in the configured zone, which the page names.
(function () {
  "use strict";
  var zone = "";
  try {
    zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  } catch (error) {
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
