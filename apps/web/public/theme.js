// Runs before the first paint, so a chosen theme never flashes; without a choice the system's applies.
try {
  const theme = localStorage.getItem('hearth.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {}
