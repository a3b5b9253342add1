/** VIRTIO 1.2, section 5.1: feature bits and configuration of the network device. */
export const NET_F = {
  CSUM: 1n << 0n,
  GUEST_CSUM: 1n << 1n,
  MAC: 1n << 5n,
  GUEST_TSO4: 1n << 7n,
  GUEST_TSO6: 1n << 8n,
  GUEST_ECN: 1n << 9n,
  HOST_TSO4: 1n << 11n,
  HOST_TSO6: 1n << 12n,
  HOST_ECN: 1n << 13n,
  MRG_RXBUF: 1n << 15n,
  STATUS: 1n << 16n,
  CTRL_VQ: 1n << 17n,
  MQ: 1n << 22n,
} as const

/** Section 5.1.3.1: what each offload needs besides itself. Any one of the right side is enough. */
const REQUIREMENTS: readonly (readonly [bigint, bigint])[] = [
  [NET_F.GUEST_TSO4, NET_F.GUEST_CSUM],
  [NET_F.GUEST_TSO6, NET_F.GUEST_CSUM],
  [NET_F.GUEST_ECN, NET_F.GUEST_TSO4 | NET_F.GUEST_TSO6],
  [NET_F.HOST_TSO4, NET_F.CSUM],
  [NET_F.HOST_TSO6, NET_F.CSUM],
  [NET_F.HOST_ECN, NET_F.HOST_TSO4 | NET_F.HOST_TSO6],
  [NET_F.MQ, NET_F.CTRL_VQ],
]

export function netFeaturesConsistent(features: bigint): boolean {
  return REQUIREMENTS.every(([feature, needs]) => (features & feature) === 0n || (features & needs) !== 0n)
}

/** struct virtio_net_config up to and including max_virtqueue_pairs. */
export const NET_CONFIG_BYTES = 10
export const NET_CONFIG_STATUS = 6
export const NET_STATUS_LINK_UP = 1
export const NET_CONFIG_MAX_PAIRS = 8
/** Section 5.1.6.5. */
export const NET_ACK = { OK: 0, ERR: 1 } as const
export const CTRL_MQ = { CLASS: 4, VQ_PAIRS_SET: 0 } as const
