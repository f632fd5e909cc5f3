/* The fake machine: its GPUs, as the config file of the test describes them. */
#ifndef MACHINE_H
#define MACHINE_H
#include "series.h"

#define MAX_GPUS 16
#define MAX_MIGS 7
#define MAX_PIDS 32
#define TEXT 1024

/* Keys with one number: name, value where the config names none (an H100 80GB HBM3). */
#define NUMBERS(X)                                                                                                   \
    X(scale, 1) X(base_mj, 1e9) X(wrap_mj, 0) X(reset_at_s, INFINITY) X(freeze_at_s, INFINITY)                       \
    X(tick_ms, 100) X(tick_phase_ms, 0) X(tick_jitter_ms, 0) X(tick_seed, 0)                                         \
    X(power_tick_ms, 100) X(power_phase_ms, 0) X(power_average_s, 1)                                                 \
    X(power_default_w, 700) X(power_min_w, 200) X(power_max_w, 700)                                                  \
    X(sm_clock_max_mhz, 1980) X(mem_clock_max_mhz, 2619)                                                             \
    X(sm_clock_default_mhz, 1980) X(mem_clock_default_mhz, 2619)                                                     \
    X(memory_mib, 81559) X(architecture, 9) X(compute_major, 9) X(compute_minor, 0) X(virtualization, 0)             \
    X(nvlinks, 18) X(pcie_generation, 5) X(pcie_width, 16) X(topology, 30)                                           \
    X(module_w, 0) X(module_counter, 0)

/* Keys with values over time, each holding until the next. */
#define STEPS(X)                                                                                                     \
    X(power_limit_w, 700) X(persistence, 1) X(ecc, 1) X(mig, 0) X(reasons, 0) X(utilization_percent, 0)              \
    X(sm_clock_app_mhz, 1980) X(mem_clock_app_mhz, 2619)

/* Keys with values over time, joined by lines. */
#define LINES(X) X(power_w, 300) X(temperature_c, 45) X(sm_clock_mhz, 1980) X(mem_clock_mhz, 2619)

#define TEXTS(X) X(name) X(uuid) X(serial) X(vbios) X(pci_bus_id) X(mig_uuids) X(processes) X(errors) X(trace_file)

typedef struct {
#define NUMBER(key, value) double key;
#define SERIES(key, value) Series key;
#define WORDS(key) char key[TEXT];
    NUMBERS(NUMBER) STEPS(SERIES) LINES(SERIES) TEXTS(WORDS)
#undef NUMBER
#undef SERIES
#undef WORDS
} Gpu;

typedef struct {
    int count;
    double t0;
    char driver[80], init_errors[TEXT];
    int cuda;
    Gpu gpu[MAX_GPUS];
} Machine;

extern Machine machine;

/* Reads the config file where it has changed; call it before each look at `machine`, with the lock held. */
void machine_refresh(void);
/* Seconds after t0. */
double machine_time(void);

double gpu_power_w(const Gpu *gpu, double time, double average_s);
unsigned long long gpu_counter_mj(const Gpu *gpu, double time);
/* The error that `errors` names for a function or its family at a time; 0 for none. */
int gpu_error(const char *errors, const char *function, const char *family, double time);
/* Process ids at a time, at most MAX_PIDS; returns how many. */
unsigned gpu_processes(const Gpu *gpu, double time, unsigned *pids);
unsigned gpu_mig_uuid(const Gpu *gpu, unsigned index, char *uuid, size_t room);
#endif
