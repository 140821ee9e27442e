// A classic script, so that it runs before anything is painted: dark unless the user chose light.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") === "light" ? "light" : "dark";
} catch {
  // Storage can be closed to us; then the page stays dark.
}
