/** VIRTIO 1.2, section 5.8: input device. */

/** 5.8.4: struct virtio_input_config. */
export const CONFIG = { SELECT: 0, SUBSEL: 1, SIZE: 2, UNION: 8, BYTES: 136 } as const

/** enum virtio_input_config_select. */
export const CFG = {
  UNSET: 0x00,
  ID_NAME: 0x01,
  ID_SERIAL: 0x02,
  ID_DEVIDS: 0x03,
  PROP_BITS: 0x10,
  EV_BITS: 0x11,
  ABS_INFO: 0x12,
} as const

/** 5.8.6: struct virtio_input_event: u16 type, u16 code, u32 value. */
export const EVENT_BYTES = 8

/** Linux's input-event-codes.h, which section 5.8 refers to: event types. */
export const EV = { SYN: 0x00, KEY: 0x01, REL: 0x02, ABS: 0x03, LED: 0x11, REP: 0x14 } as const
export const SYN_REPORT = 0
export const REL = { HWHEEL: 0x06, WHEEL: 0x08 } as const
export const ABS = { X: 0x00, Y: 0x01 } as const
export const BTN = { LEFT: 0x110, RIGHT: 0x111, MIDDLE: 0x112, SIDE: 0x113, EXTRA: 0x114 } as const
export const LED = { NUML: 0, CAPSL: 1, SCROLLL: 2 } as const
