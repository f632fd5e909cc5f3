#define _GNU_SOURCE
#include "machine.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

Machine machine;

static double clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double loaded_at;

__attribute__((constructor)) static void at_load(void) { loaded_at = clock_now(); }

double machine_time(void) { return clock_now() - machine.t0; }

static void set_defaults(void) {
    for (int i = 0; i < MAX_GPUS; i++) {
        Gpu *gpu = &machine.gpu[i];
#define NUMBER(key, value) gpu->key = value;
#define SERIES(key, value) series_constant(&gpu->key, value);
#define WORDS(key) gpu->key[0] = 0;
        NUMBERS(NUMBER) STEPS(SERIES) LINES(SERIES) TEXTS(WORDS)
#undef NUMBER
#undef SERIES
#undef WORDS
        strcpy(gpu->name, "NVIDIA H100 80GB HBM3");
        strcpy(gpu->vbios, "96.00.00.00.01");
        snprintf(gpu->serial, TEXT, "16500000000%02d", i);
        snprintf(gpu->uuid, TEXT, "GPU-%08x-5c0e-4000-8000-%012x", 0xa0c3e5f1u + 0x01020304u * (unsigned)i, i + 1);
        snprintf(gpu->pci_bus_id, TEXT, "00000000:%02X:00.0", 0x10 + 0x08 * i);
    }
    machine.count = 1;
    machine.t0 = loaded_at;
    machine.cuda = 13000;
    strcpy(machine.driver, "580.95.05");
    machine.init_errors[0] = 0;
}

static void complain(const char *what, const char *text) {
    fprintf(stderr, "fake NVML: %s: %s\n", what, text);
    abort(); /* a test with a misspelt config proves nothing */
}

static void set_gpu(Gpu *gpu, const char *key, const char *value) {
#define NUMBER(name, unused) if (!strcmp(key, #name)) { gpu->name = atof(value); return; }
#define STEP(name, unused) if (!strcmp(key, #name)) { if (!series_parse(&gpu->name, value, 0)) complain(key, value); return; }
#define LINE(name, unused) if (!strcmp(key, #name)) { if (!series_parse(&gpu->name, value, 1)) complain(key, value); return; }
#define WORDS(name) if (!strcmp(key, #name)) { snprintf(gpu->name, TEXT, "%s", value); return; }
    NUMBERS(NUMBER) STEPS(STEP) LINES(LINE) TEXTS(WORDS)
    complain("unknown key", key);
}

static void set(char *key, const char *value) {
    if (!strcmp(key, "gpus")) { machine.count = atoi(value); return; }
    if (!strcmp(key, "t0")) { machine.t0 = atof(value); return; }
    if (!strcmp(key, "cuda")) { machine.cuda = atoi(value); return; }
    if (!strcmp(key, "driver")) { snprintf(machine.driver, sizeof machine.driver, "%s", value); return; }
    if (!strcmp(key, "init_errors")) { snprintf(machine.init_errors, TEXT, "%s", value); return; }
    char *dot = strchr(key, '.');
    if (!dot) {
        for (int i = 0; i < MAX_GPUS; i++) set_gpu(&machine.gpu[i], key, value);
        return;
    }
    int i = atoi(dot + 1);
    *dot = 0;
    if (i < 0 || i >= MAX_GPUS) complain("no such GPU", dot + 1);
    set_gpu(&machine.gpu[i], key, value);
}

static void read_config(FILE *file) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, file)) > 0) {
        while (length && line[length - 1] == '\n') line[--length] = 0;
        char *equals = strchr(line, '=');
        if (!length || line[0] == '#') continue;
        if (!equals) complain("not KEY=VALUE", line);
        *equals = 0;
        set(line, equals + 1);
    }
    free(line);
    if (machine.count < 0 || machine.count > MAX_GPUS) complain("gpus", "too many");
}

/* Traces may be long and are written once: one file is read once, however often the config changes. */
static struct { char path[TEXT]; struct stat seen; Series series; } traces[MAX_GPUS];

static int same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
        && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void read_traces(void) {
    for (int i = 0; i < machine.count; i++) {
        Gpu *gpu = &machine.gpu[i];
        struct stat now;
        if (!gpu->trace_file[0]) continue;
        if (stat(gpu->trace_file, &now)) complain("no such trace", gpu->trace_file);
        if (strcmp(traces[i].path, gpu->trace_file) || !same(&now, &traces[i].seen)) {
            if (!series_read(&traces[i].series, gpu->trace_file, 1)) complain("not a trace", gpu->trace_file);
            strcpy(traces[i].path, gpu->trace_file);
            traces[i].seen = now;
        }
        series_copy(&gpu->power_w, &traces[i].series);
    }
}

void machine_refresh(void) {
    static char seen_path[4096];
    static struct stat seen;
    static int ready;
    const char *path = getenv("FAKE_NVML_CONFIG");
    struct stat now;
    if (!path || stat(path, &now)) {
        if (ready && !seen_path[0]) return;
        set_defaults();
        seen_path[0] = 0;
        ready = 1;
        return;
    }
    if (ready && !strcmp(path, seen_path) && same(&now, &seen)) return;
    FILE *file = fopen(path, "r");
    if (!file) return;
    /* Of the file that was opened, for it may have been replaced since. */
    if (!fstat(fileno(file), &now)) seen = now;
    snprintf(seen_path, sizeof seen_path, "%s", path);
    set_defaults();
    read_config(file);
    fclose(file);
    read_traces();
    ready = 1;
}

/* A number from -0.5 to 0.5 for each tick, the same in every process (splitmix64's last step). */
static double noise(double seed, double tick) {
    uint64_t x = (uint64_t)(int64_t)tick * 0x9e3779b97f4a7c15u + (uint64_t)seed * 0xd1b54a32d192ed03u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 11) / 9007199254740992.0 - 0.5;
}

/* The last refresh at or before a time. */
static double last_tick(double time, double tick_s, double phase_s, double jitter_s, double seed) {
    if (tick_s <= 0) return time;
    for (double k = floor((time - phase_s) / tick_s) + 1;; k--) {
        double edge = phase_s + k * tick_s + noise(seed, k) * jitter_s;
        if (edge <= time) return edge;
    }
}

double gpu_power_w(const Gpu *gpu, double time, double average_s) {
    double at = last_tick(time, gpu->power_tick_ms / 1e3, gpu->power_phase_ms / 1e3, 0, 0);
    if (average_s <= 0) return gpu->scale * series_at(&gpu->power_w, at);
    double joules = series_integral(&gpu->power_w, at) - series_integral(&gpu->power_w, at - average_s);
    return gpu->scale * joules / average_s;
}

static double energy_mj(const Gpu *gpu, double time) {
    double extra_w = gpu->module_counter ? gpu->module_w : 0;
    return 1e3 * (gpu->scale * series_integral(&gpu->power_w, time) + extra_w * time);
}

unsigned long long gpu_counter_mj(const Gpu *gpu, double time) {
    double jitter_s = fmin(gpu->tick_jitter_ms, gpu->tick_ms) / 1e3;
    double at = last_tick(fmin(time, gpu->freeze_at_s), gpu->tick_ms / 1e3, gpu->tick_phase_ms / 1e3, jitter_s,
                          gpu->tick_seed);
    double mj;
    if (time < gpu->reset_at_s) mj = gpu->base_mj + energy_mj(gpu, at);
    else mj = energy_mj(gpu, fmax(at, gpu->reset_at_s)) - energy_mj(gpu, gpu->reset_at_s);
    if (gpu->wrap_mj > 0) mj = fmod(mj, gpu->wrap_mj);
    return mj > 0 ? (unsigned long long)mj : 0;
}

/* Reads "@FROM..TO" after an entry; without it the entry holds always. */
static const char *window(const char *text, double time, int *inside) {
    *inside = 1;
    if (*text != '@') return text;
    char *end;
    double from = strtod(text + 1, &end), to = INFINITY;
    if (strncmp(end, "..", 2)) complain("not @FROM..TO", text);
    if (end[2] && end[2] != ',') to = strtod(end + 2, &end);
    else end += 2;
    *inside = time >= from && time < to;
    return end;
}

int gpu_error(const char *errors, const char *function, const char *family, double time) {
    for (const char *entry = errors; *entry;) {
        size_t length = strcspn(entry, ":");
        if (!entry[length]) complain("not WHAT:CODE", entry);
        char what[128], *end;
        snprintf(what, sizeof what, "%.*s", (int)length, entry);
        int code = (int)strtol(entry + length + 1, &end, 10), inside;
        const char *rest = window(end, time, &inside);
        if (inside && (!strcmp(what, "all") || !strcmp(what, family) || !strcmp(what, function))) return code;
        if (*rest && *rest != ',') complain("not WHAT:CODE@FROM..TO", entry);
        entry = *rest ? rest + 1 : rest;
    }
    return 0;
}

unsigned gpu_processes(const Gpu *gpu, double time, unsigned *pids) {
    unsigned found = 0;
    for (const char *entry = gpu->processes; *entry;) {
        char *end;
        unsigned pid = (unsigned)strtoul(entry, &end, 10);
        int inside;
        const char *rest = window(end, time, &inside);
        if (inside && found < MAX_PIDS) pids[found++] = pid;
        if (end == entry || (*rest && *rest != ',')) complain("not PID@FROM..TO", entry);
        entry = *rest ? rest + 1 : rest;
    }
    return found;
}

unsigned gpu_mig_uuid(const Gpu *gpu, unsigned index, char *uuid, size_t room) {
    const char *entry = gpu->mig_uuids;
    for (unsigned i = 0; *entry; i++) {
        size_t length = strcspn(entry, ",");
        if (i == index) {
            snprintf(uuid, room, "%.*s", (int)length, entry);
            return 1;
        }
        entry += length + (entry[length] == ',');
    }
    return 0;
}
