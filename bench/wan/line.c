/* A line that lags and loses, between two network namespaces: line PID PID DELAY_US LOSS_PPM RATE_BITS QUEUE_BYTES SEED
 *
 * Each PID holds a network namespace; a tun device `wan0` is made in each, and what goes into one comes out of the
 * other. Kernel TCP of both sides runs through it unchanged. Both directions have a drop-tail queue, a rate, a one-way
 * delay and loss of single packets at random, from a seed. No jitter, reordering or bursts of loss.
 *
 * The kernel hands over TCP in bundles of up to 64 KiB (TSO) and takes them so (GRO), which is what makes this fast
 * enough. The line still sees packets: rate, queue and loss are decided packet by packet, and a bundle that lost some
 * is cut into bundles around the gaps. Prints "ready" once the devices are there; ends with SIGTERM, and says then on
 * stderr what it dropped.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = sizeof(struct virtio_net_hdr), BUNDLE = 65536 + HEADER, BURST = 32 };
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_CHECK = 16, FIN = 0x01, PSH = 0x08, CWR = 0x80 };
enum { IP_LENGTH = 2, IP_ID = 4, IP_CHECK = 10, IP_ADDRESSES = 12 };

/* On its way; the packet, behind its virtio header, follows. */
struct waiting { uint64_t due_ns; uint32_t length, stride; };

struct direction {
    int in, out;
    uint64_t loss_ppm, delay_ns, queue_bytes, random, line_free_ns;
    double ns_per_byte;
    uint8_t *ring;
    uint64_t head, tail; /* of the ring, in bytes, ever growing */
    uint64_t packets, lost, overflowed;
};

static const uint64_t RING = 64ull << 20;
static struct direction directions[2];

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint32_t next_random(uint64_t *state) { /* xorshift64* */
    *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
    return (*state * 0x2545F4914F6CDD1Dull) >> 32;
}

static void put16(uint8_t *at, uint32_t value) { at[0] = value >> 8, at[1] = value; }
static uint32_t get16(const uint8_t *at) { return at[0] << 8 | at[1]; }

static uint32_t sum16(const uint8_t *at, int bytes) {
    uint32_t sum = 0;
    for (int i = 0; i + 1 < bytes; i += 2) sum += get16(at + i);
    return sum;
}

static uint16_t folded(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* --- the ring: entries never wrap; one that would is put at the start, behind a mark */

static struct waiting *room(struct direction *d, uint32_t bytes) {
    uint32_t stride = (sizeof(struct waiting) + bytes + 15) & ~15u;
    uint64_t offset = d->tail % RING, skipped = offset + stride > RING ? RING - offset : 0;
    if (d->tail + skipped + stride + sizeof(struct waiting) - d->head > RING) return NULL;
    if (skipped) {
        ((struct waiting *)(d->ring + offset))->length = 0;
        ((struct waiting *)(d->ring + offset))->stride = skipped;
        d->tail += skipped;
    }
    struct waiting *entry = (struct waiting *)(d->ring + d->tail % RING);
    entry->length = bytes, entry->stride = stride;
    d->tail += stride;
    return entry;
}

static struct waiting *first(struct direction *d) {
    while (d->head != d->tail) {
        struct waiting *entry = (struct waiting *)(d->ring + d->head % RING);
        if (entry->length) return entry;
        d->head += entry->stride;
    }
    return NULL;
}

/* --- what the line does to one packet */

static int survives(struct direction *d, uint32_t bytes, uint64_t now, uint64_t *due) {
    d->packets++;
    if (d->loss_ppm && next_random(&d->random) % 1000000 < d->loss_ppm) { d->lost++; return 0; }
    if (d->line_free_ns < now) d->line_free_ns = now;
    if ((d->line_free_ns - now) / d->ns_per_byte > d->queue_bytes) { d->overflowed++; return 0; }
    d->line_free_ns += (uint64_t)(bytes * d->ns_per_byte);
    *due = d->line_free_ns + d->delay_ns;
    return 1;
}

static void enqueue(struct direction *d, const uint8_t *bundle, uint32_t length, uint64_t due) {
    struct waiting *entry = room(d, length);
    if (!entry) { d->overflowed++; return; }
    entry->due_ns = due;
    memcpy(entry + 1, bundle, length);
}

/* --- bundles of TCP over IPv4 */

struct cut { uint32_t headers, ip_header, size, payload; };

/* Packets `from` to before `to` of a bundle, as a bundle of their own. */
static void enqueue_cut(struct direction *d, const uint8_t *bundle, struct cut c, uint32_t from, uint32_t to,
                        uint64_t due) {
    uint32_t start = from * c.size, end = to * c.size < c.payload ? to * c.size : c.payload, bytes = end - start;
    struct waiting *entry = room(d, HEADER + c.headers + bytes);
    if (!entry) { d->overflowed += to - from; return; }
    entry->due_ns = due;
    uint8_t *copy = (uint8_t *)(entry + 1), *ip = copy + HEADER, *tcp = ip + c.ip_header;
    memcpy(copy, bundle, HEADER + c.headers);
    memcpy(ip + c.headers, bundle + HEADER + c.headers + start, bytes);
    struct virtio_net_hdr *virtio = (struct virtio_net_hdr *)copy;
    if (bytes <= c.size) virtio->gso_type = VIRTIO_NET_HDR_GSO_NONE, virtio->gso_size = 0;
    put16(ip + IP_LENGTH, c.headers + bytes);
    put16(ip + IP_ID, get16(ip + IP_ID) + from);
    put16(ip + IP_CHECK, 0);
    put16(ip + IP_CHECK, ~folded(sum16(ip, c.ip_header)));
    uint32_t sequence;
    memcpy(&sequence, tcp + TCP_SEQ, 4);
    sequence = htonl(ntohl(sequence) + start);
    memcpy(tcp + TCP_SEQ, &sequence, 4);
    if (from) tcp[TCP_FLAGS] &= ~CWR;
    if (end < c.payload) tcp[TCP_FLAGS] &= ~(FIN | PSH);
    uint32_t segment = c.headers - c.ip_header + bytes; /* whoever sums up begins with the pseudo header */
    put16(tcp + TCP_CHECK, folded(sum16(ip + IP_ADDRESSES, 8) + IPPROTO_TCP + segment));
}

static void take_bundle(struct direction *d, const uint8_t *bundle, struct cut c, uint64_t now) {
    uint32_t count = (c.payload + c.size - 1) / c.size, from = 0;
    uint64_t due = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = i + 1 < count ? c.size : c.payload - i * c.size;
        uint64_t later;
        if (survives(d, c.headers + bytes, now, &later)) { due = later; continue; }
        if (i > from) enqueue_cut(d, bundle, c, from, i, due);
        from = i + 1;
    }
    if (count > from) enqueue_cut(d, bundle, c, from, count, due);
}

static void take(struct direction *d, const uint8_t *bundle, uint32_t length) {
    const struct virtio_net_hdr *virtio = (const struct virtio_net_hdr *)bundle;
    const uint8_t *ip = bundle + HEADER;
    uint64_t now = now_ns(), due;
    uint32_t bytes = length - HEADER;
    int is_bundle = (virtio->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4;
    if (is_bundle && virtio->gso_size && ip[0] >> 4 == 4) {
        uint32_t ip_header = (ip[0] & 15) * 4, headers = ip_header + (ip[ip_header + TCP_OFFSET] >> 4) * 4;
        take_bundle(d, bundle, (struct cut){headers, ip_header, virtio->gso_size, bytes - headers}, now);
    } else if (survives(d, bytes, now, &due)) {
        enqueue(d, bundle, length, due);
    }
}

/* --- the loop, one thread a direction */

static void deliver(struct direction *d) {
    struct waiting *entry;
    uint64_t now = now_ns();
    while ((entry = first(d)) && entry->due_ns <= now) {
        if (write(d->out, entry + 1, entry->length) < 0) d->overflowed++;
        d->head += entry->stride;
    }
}

static void *run(void *arg) {
    struct direction *d = arg;
    static _Thread_local uint8_t bundle[BUNDLE];
    for (;;) {
        deliver(d);
        struct waiting *entry = first(d);
        struct timespec pause, *wait = NULL;
        if (entry) {
            uint64_t now = now_ns(), left = entry->due_ns > now ? entry->due_ns - now : 0;
            pause = (struct timespec){left / 1000000000, left % 1000000000};
            wait = &pause;
        }
        struct pollfd readable = {d->in, POLLIN, 0};
        if (ppoll(&readable, 1, wait, NULL) <= 0) continue;
        for (int i = 0; i < BURST; i++) {
            ssize_t length = read(d->in, bundle, sizeof bundle);
            if (length <= HEADER) break;
            take(d, bundle, length);
        }
    }
    return NULL;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_end(const char *holder) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/net", holder);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0 || setns(namespace, CLONE_NEWNET)) fail(path);
    close(namespace);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    strncpy(request.ifr_name, "wan0", IFNAMSIZ - 1);
    int end = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (end < 0 || ioctl(end, TUNSETIFF, &request)) fail("/dev/net/tun");
    if (ioctl(end, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)) fail("TUNSETOFFLOAD");
    return end;
}

static void tell_and_end(int signal) {
    (void)signal;
    for (int i = 0; i < 2; i++)
        fprintf(stderr, "direction %d: %lu packets, %lu lost, %lu over the queue\n", i, directions[i].packets,
                directions[i].lost, directions[i].overflowed);
    exit(0);
}

int main(int count, char **words) {
    if (count != 8) {
        fprintf(stderr, "usage: line PID PID DELAY_US LOSS_PPM RATE_BITS QUEUE_BYTES SEED\n");
        return 2;
    }
    int ends[2] = {open_end(words[1]), open_end(words[2])};
    for (int i = 0; i < 2; i++) {
        directions[i] = (struct direction){
            .in = ends[i], .out = ends[1 - i],
            .delay_ns = strtoull(words[3], NULL, 10) * 1000, .loss_ppm = strtoull(words[4], NULL, 10),
            .ns_per_byte = 8e9 / atof(words[5]), .queue_bytes = strtoull(words[6], NULL, 10),
            .random = strtoull(words[7], NULL, 10) * 2654435761u + 88172645463325252ull + i,
            .ring = malloc(RING)};
        if (!directions[i].ring) fail("malloc");
    }
    signal(SIGTERM, tell_and_end);
    puts("ready");
    fflush(stdout);
    pthread_t other;
    if (pthread_create(&other, NULL, run, &directions[1])) fail("pthread_create");
    run(&directions[0]);
}
