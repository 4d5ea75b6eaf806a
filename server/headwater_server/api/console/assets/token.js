// The key or token that requests carry, where the server asks who comes: kept for this tab alone, never in a URL.
const NAME = "headwater.token";
const field = document.getElementById("token"), label = field.closest("label");
let token = "";
try { token = sessionStorage.getItem(NAME) ?? ""; } catch { /* nothing is remembered */ }
field.value = token;
label.hidden = !token;

field.addEventListener("change", () => {
  token = field.value.trim();
  try { sessionStorage.setItem(NAME, token); } catch { /* for this page alone */ }
  document.dispatchEvent(new Event("token"));
});

// As fetch; a server that wants to know who asks makes the field appear.
export async function send(url, options = {}) {
  const headers = token ? { ...options.headers, Authorization: `Bearer ${token}` } : options.headers;
  const answer = await fetch(url, { ...options, headers });
  if (answer.status === 401) label.hidden = false;
  return answer;
}
