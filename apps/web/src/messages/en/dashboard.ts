export const dashboard = {
  title: 'Dashboard',
  recent: 'Recently',
  allActivity: 'All activity',
  running: 'Under way',
  nothingRunning: 'Nothing is under way.',
}
