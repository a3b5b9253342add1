/** Screens of one VM, side by side in one picture. In a file of its own: the monitor's threads load nothing else for it. */
export const maxScreens = 4
