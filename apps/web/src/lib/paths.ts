/** A list with its dialog open that adds to it. */
const withAdd = (path: string, { add }: { add?: string }): string => (add ? `${path}?add=${add}` : path)

/** The one place that knows addresses. Pages, links, redirects and tests take them from here. */
export const paths = {
  home: () => '/',
  vms: () => '/vms',
  vmNew: (options: { image?: string } = {}) =>
    options.image ? `/vms/new?image=${encodeURIComponent(options.image)}` : '/vms/new',
  vm: (id: number) => `/vms/${id}`,
  vmConsole: (id: number) => `/vms/${id}/console`,
  vmMetrics: (id: number) => `/vms/${id}/metrics`,
  vmDisks: (id: number) => `/vms/${id}/disks`,
  vmSnapshots: (id: number) => `/vms/${id}/snapshots`,
  vmNetwork: (id: number) => `/vms/${id}/network`,
  vmSettings: (id: number) => `/vms/${id}/settings`,
  vmActivity: (id: number) => `/vms/${id}/activity`,
  vmApi: (id: number) => `/vms/${id}/api`,
  consoleWindow: (id: number) => `/console/${id}`,
  screenPicture: (id: number, width: number) => `/console/${id}/screen.jpg?width=${width}`,
  recordings: (vmId?: number) => (vmId === undefined ? '/recordings' : `/recordings?vm=${vmId}`),
  recording: (uid: string) => `/recordings/${uid}`,
  recordingFile: (uid: string, download = false) =>
    `/console/recordings/${uid}${download ? '?download' : ''}`,
  images: (options: { add?: 'address' | 'upload' } = {}) => withAdd('/images', options),
  image: (id: number) => `/images/${id}`,
  volumes: (options: { add?: 'disk' } = {}) => withAdd('/volumes', options),
  backups: (vmId?: number) => (vmId === undefined ? '/backups' : `/backups?vm=${vmId}`),
  activity: () => '/activity',
  projects: (options: { add?: 'project' } = {}) => withAdd('/projects', options),
  project: (id: number) => `/projects/${id}`,
  people: (options: { add?: 'person' } = {}) => withAdd('/people', options),
  homeSettings: () => '/home',
  settings: () => '/settings/account',
  account: () => '/settings/account',
  security: () => '/settings/security',
  sshKeys: (options: { add?: 'key' } = {}) => withAdd('/settings/ssh-keys', options),
  tokens: (options: { add?: 'token' } = {}) => withAdd('/settings/tokens', options),
  apiReference: () => '/api-reference',
  openApi: () => '/api/v1/openapi.json',
  signIn: (options: { next?: string } = {}) =>
    options.next && options.next !== '/' ? `/sign-in?next=${encodeURIComponent(options.next)}` : '/sign-in',
  setup: (token?: string) => (token ? `/setup#token=${encodeURIComponent(token)}` : '/setup'),
  /** The rest of setting up, after the first administrator. */
  welcome: () => '/welcome',
  /** Without the token, which a link carries in its fragment. */
  invitation: () => '/invitation',
  trust: () => '/trust',
  caCertificate: () => '/ca.crt',
} as const

/**
 * Where to go after signing in: the page that was asked for, if it is one of ours. Anything that a browser
 * could read as another origin (`//host`, `/\host`, `https:`) leads to the dashboard instead.
 */
export function safeNext(next: string | null | undefined): string {
  if (!next?.startsWith('/')) return paths.home()
  try {
    const url = new URL(next, 'http://hearth.invalid')
    if (url.origin !== 'http://hearth.invalid' || url.pathname === '/sign-in') return paths.home()
    return url.pathname + url.search + url.hash
  } catch {
    return paths.home()
  }
}
