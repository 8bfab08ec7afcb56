/**
 * For processes of API and worker: glibc keeps an arena for each of their many threads, and large buffers once they were large. Two arenas, and
 * buffers from 128 KiB on given back at once, take a sixth off their memory. Others than glibc do not look at it. The image sets the same.
 */
export const ALLOCATOR_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;
