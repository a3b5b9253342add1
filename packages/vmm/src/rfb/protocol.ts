/** Numbers of RFB 3.8 (RFC 6143) and of its registered extensions, by the names they have there. */

/** Encodings, RFC 6143 section 7.7, and TIGHT from the community's rfbproto. */
export const ENCODING = {
  RAW: 0,
  COPY_RECT: 1,
  HEXTILE: 5,
  TIGHT: 7,
  ZRLE: 16,
} as const

/** Pseudo-encodings: RFC 6143 section 7.8, and rfbproto. */
export const PSEUDO = {
  JPEG_QUALITY_9: -23,
  JPEG_QUALITY_0: -32,
  DESKTOP_SIZE: -223,
  LAST_RECT: -224,
  POINTER_POS: -232,
  CURSOR: -239,
  COMPRESS_LEVEL_9: -247,
  COMPRESS_LEVEL_0: -256,
  QEMU_EXTENDED_KEY_EVENT: -258,
  QEMU_LED_STATE: -261,
  DESKTOP_NAME: -307,
  EXTENDED_DESKTOP_SIZE: -308,
  FENCE: -312,
  CONTINUOUS_UPDATES: -313,
  CURSOR_WITH_ALPHA: -314,
  EXTENDED_MOUSE_BUTTONS: -316,
  VMWARE_CURSOR: 0x574d_5664,
  VMWARE_CURSOR_POSITION: 0x574d_5666,
  VMWARE_LED_STATE: 0x574d_5668,
  EXTENDED_CLIPBOARD: 0xc0a1_e5ce | 0,
} as const

/** Client to server, RFC 6143 section 7.5, and rfbproto. */
export const CLIENT_MESSAGE = {
  SET_PIXEL_FORMAT: 0,
  SET_ENCODINGS: 2,
  FRAMEBUFFER_UPDATE_REQUEST: 3,
  KEY_EVENT: 4,
  POINTER_EVENT: 5,
  CLIENT_CUT_TEXT: 6,
  ENABLE_CONTINUOUS_UPDATES: 150,
  FENCE: 248,
  SET_DESKTOP_SIZE: 251,
  QEMU: 255,
} as const

/** Server to client, RFC 6143 section 7.6, and rfbproto. */
export const SERVER_MESSAGE = {
  FRAMEBUFFER_UPDATE: 0,
  BELL: 2,
  SERVER_CUT_TEXT: 3,
  END_OF_CONTINUOUS_UPDATES: 150,
  FENCE: 248,
} as const

export const FENCE_FLAG = {
  BLOCK_BEFORE: 1,
  BLOCK_AFTER: 2,
  SYNC_NEXT: 4,
  REQUEST: 0x8000_0000,
} as const
export const FENCE_MAX_PAYLOAD = 64

/** ExtendedDesktopSize: why the size changed (x-position) and how a request ended (y-position). */
export const RESIZE_REASON = { SERVER: 0, THIS_CLIENT: 1, OTHER_CLIENT: 2 } as const
export const RESIZE_STATUS = {
  OK: 0,
  PROHIBITED: 1,
  OUT_OF_RESOURCES: 2,
  INVALID_LAYOUT: 3,
  FORWARDED: 4,
} as const

/** RFC 6143, 7.1.2: access is decided by who may open the socket, so None is the one security type. */
export const SECURITY_NONE = 1
