/** VIRTIO 1.2, section 5.3, Console Device. */
export const CONSOLE_F_MULTIPORT = 1n << 1n
/** Section 5.3.4, struct virtio_console_config. */
export const CONFIG = { MAX_NR_PORTS: 4, LENGTH: 12 } as const
/** Section 5.3.2: the ports' queues come in pairs, port 0's before the control queues. */
export const CONTROL_RX = 2
export const CONTROL_TX = 3
export const rxQueue = (port: number): number => (port === 0 ? 0 : 2 + 2 * port)
export const txQueue = (port: number): number => rxQueue(port) + 1
/** Which port a data queue is of. */
export const portOf = (queue: number): number => (queue < 2 ? 0 : (queue >> 1) - 1)

/** Section 5.3.6.2, struct virtio_console_control {le32 id; le16 event; le16 value}; a port's name follows its event. */
export const CONTROL_BYTES = 8
export const EVENT = {
  DEVICE_READY: 0,
  DEVICE_ADD: 1,
  PORT_READY: 3,
  PORT_OPEN: 6,
  PORT_NAME: 7,
} as const
