/**
 * Numbers of the SPICE agent protocol (spice-protocol's vd_agent.h), by the names they have there. All integers are
 * little-endian and packed. The guest's end is the port below /dev/virtio-ports.
 */
export const VDAGENT_PORT = 'com.redhat.spice.0'

/** VDIChunkHeader: u32 port, u32 size. A message is cut into chunks of at most this much. */
export const CHUNK_HEADER_BYTES = 8
export const MAX_CHUNK_DATA = 2048
export const VDP = { CLIENT_PORT: 1, SERVER_PORT: 2 } as const

/** VDAgentMessage: u32 protocol, u32 type, u64 opaque, u32 size. */
export const MESSAGE_HEADER_BYTES = 20
export const VD_AGENT_PROTOCOL = 1
export const VD_AGENT = {
  CLIPBOARD: 4,
  ANNOUNCE_CAPABILITIES: 6,
  CLIPBOARD_GRAB: 7,
  CLIPBOARD_REQUEST: 8,
  CLIPBOARD_RELEASE: 9,
} as const

/** Bit numbers of capabilities. */
export const VD_AGENT_CAP = {
  CLIPBOARD_BY_DEMAND: 5,
  CLIPBOARD_SELECTION: 6,
  GUEST_LINEEND_CRLF: 9,
} as const

export const VD_AGENT_CLIPBOARD = { NONE: 0, UTF8_TEXT: 1 } as const
/** The clipboard proper; PRIMARY (1) and SECONDARY (2) are X11's other selections and stay in the guest. */
export const VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD = 0

/** Most text that crosses, either way, in bytes of UTF-8. */
export const MAX_CLIPBOARD_BYTES = 1024 * 1024
