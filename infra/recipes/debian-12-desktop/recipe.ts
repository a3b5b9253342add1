/** Debian 12 with a small desktop that greets whoever opens its screen: the same disk as debian-12, other packages. */
import path from 'node:path'
import { GIB, MIB } from '@hearth/shared/units'
import { imagePackages } from '../debian-12/packages.ts'
import { buildDebian } from '../debian-12/recipe.ts'
import { type RecipeDefinition, recipeHash } from '../recipe.ts'

const here = (name: string): string => path.join(import.meta.dirname, name)

/** The cloud kernel has no graphics at all; the generic one has virtio's GPU, keyboard and tablet. */
const kernel = new Map([['linux-image-cloud-amd64', 'linux-image-amd64']])

const desktopPackages: readonly string[] = [
  // a screen to draw on
  ...['xserver-xorg-core', 'xserver-xorg-input-libinput', 'x11-xserver-utils', 'x11-xkb-utils', 'xkb-data'],
  ...['lightdm', 'lightdm-gtk-greeter', 'dbus-x11', 'dbus-user-session', 'policykit-1'],
  // something to work with on it
  ...['openbox', 'tint2', 'pcmanfm', 'lxterminal', 'mousepad'],
  ...[
    'adwaita-icon-theme',
    'fonts-dejavu-core',
    'fontconfig',
    'gvfs',
    'keyboard-configuration',
    'console-setup',
  ],
  // shares the clipboard with whoever watches
  'spice-vdagent',
]

/** Drivers of hardware no VM of Hearth's has: two thirds of the generic kernel's modules. */
const excluded = [
  'gpu/drm/amd',
  'gpu/drm/radeon',
  'gpu/drm/nouveau',
  'gpu/drm/i915',
  'gpu/drm/gma500',
  'net/wireless',
  'net/ethernet',
  'media',
  'infiniband',
  'staging',
  'iio',
  'bluetooth',
  'hwmon',
  'isdn',
  'mtd',
]
  .map((folder) => `drivers/${folder}`)
  // Each VM's network daemon would load it for radios.
  .concat('net/wireless', 'net/mac80211', 'net/bluetooth', 'sound')
  .map((folder) => `/lib/modules/*/kernel/${folder}/*`)

export const debian12Desktop: RecipeDefinition = {
  imageUid: 'debian-12-desktop',
  name: 'Debian 12 Desktop',
  description:
    'Debian 12 with a light desktop on its screen: window manager, panel, files, terminal and editor. Signs its user in by itself.',
  recipeHash: recipeHash('debian-12', 'debian-12-desktop', 'disk'),
  kind: 'disk',
  source: 'build',
  boot: 'direct',
  version: '12',
  origin: '',
  downloadBytes: 0,
  cloudInit: true,
  graphical: true,
  loginUser: 'debian',
  minMemoryBytes: 1 * GIB,
  minDiskBytes: 5 * GIB,
  build: (context) =>
    buildDebian(context, {
      packages: [...imagePackages.map((name) => kernel.get(name) ?? name), ...desktopPackages],
      diskBytes: 1664 * MIB,
      files: here('files'),
      customize: here('customize.sh'),
      excluded: [...excluded, '/usr/share/help/*'],
      // The last console is /dev/console, where the start's own messages go.
      cmdline: 'console=tty0 console=ttyS0 quiet',
    }),
}
