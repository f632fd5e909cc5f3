/* A libnvidia-ml.so.1 that answers as a driver would, from the fake machine. Signatures and codes: NVML API reference.
 *
 * Every query belongs to a family (power, energy, ...), so that a config can let a whole family fail.
 */
#include "machine.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef int Return;
typedef unsigned int uint;
typedef unsigned long long ulong64;

enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15
};

/* What a handle points to: slice -1 is the whole GPU. */
typedef struct { int gpu, slice; } Handle;
typedef Handle *Device;

static Handle handles[MAX_GPUS][1 + MAX_MIGS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users;

static Device handle_of(int gpu, int slice) {
    handles[gpu][slice + 1].gpu = gpu;
    handles[gpu][slice + 1].slice = slice;
    return &handles[gpu][slice + 1];
}

/* The GPU behind a handle, or why it does not answer. */
static Return find(Device device, const char *function, const char *family, Gpu **gpu, double *time) {
    machine_refresh();
    *time = machine_time();
    if (!users) return UNINITIALIZED;
    if (device < handles[0] || device >= handles[0] + MAX_GPUS * (1 + MAX_MIGS)) return INVALID_ARGUMENT;
    if (device->gpu >= machine.count) return INVALID_ARGUMENT;
    *gpu = &machine.gpu[device->gpu];
    return gpu_error((*gpu)->errors, function, family, *time);
}

/* ANSWER(function, family, (parameters after the handle), statements over `gpu` and `t`) */
#define ANSWER(function, family, parameters, ...)                                                                     \
    Return function(Device device, UNPACK parameters) {                                                               \
        pthread_mutex_lock(&lock);                                                                                    \
        Gpu *gpu = NULL;                                                                                              \
        double t = 0;                                                                                                 \
        Return result = find(device, #function, family, &gpu, &t);                                                    \
        if (result == SUCCESS) { __VA_ARGS__; }                                                                       \
        (void)t;                                                                                                      \
        pthread_mutex_unlock(&lock);                                                                                  \
        return result;                                                                                                \
    }
#define UNPACK(...) __VA_ARGS__
#define GIVE(function, family, value) ANSWER(function, family, (uint *out), *out = (uint)(value))
#define GIVE_LONG(function, family, value) ANSWER(function, family, (ulong64 *out), *out = (ulong64)(value))
#define GIVE_TEXT(function, family, value)                                                                            \
    ANSWER(function, family, (char *out, uint room), {                                                                \
        if (strlen(value) >= room) result = INSUFFICIENT_SIZE; else strcpy(out, value); })
/* What NVML refuses to tell of a MIG slice. */
#define WHOLE(statement) if (device->slice >= 0) result = NOT_SUPPORTED; else statement

Return nvmlInitWithFlags(uint flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    machine_refresh();
    Return result = gpu_error(machine.init_errors, "nvmlInit", "init", machine_time());
    if (result == SUCCESS) users++;
    pthread_mutex_unlock(&lock);
    return result;
}
Return nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
Return nvmlInit(void) { return nvmlInitWithFlags(0); }

Return nvmlShutdown(void) {
    pthread_mutex_lock(&lock);
    Return result = users ? SUCCESS : UNINITIALIZED;
    if (users) users--;
    pthread_mutex_unlock(&lock);
    return result;
}

const char *nvmlErrorString(Return code) {
    switch (code) {
        case SUCCESS: return "Success";
        case UNINITIALIZED: return "Uninitialized";
        case INVALID_ARGUMENT: return "Invalid Argument";
        case NOT_SUPPORTED: return "Not Supported";
        case NO_PERMISSION: return "Insufficient Permissions";
        case NOT_FOUND: return "Not Found";
        case INSUFFICIENT_SIZE: return "Insufficient Size";
        case DRIVER_NOT_LOADED: return "Driver Not Loaded";
        case GPU_IS_LOST: return "GPU is lost";
        default: return "Unknown Error";
    }
}

/* Of the whole machine */
#define SYSTEM(function, parameters, statement)                                                                       \
    Return function parameters {                                                                                      \
        pthread_mutex_lock(&lock);                                                                                    \
        machine_refresh();                                                                                            \
        Return result = users ? SUCCESS : UNINITIALIZED;                                                              \
        if (result == SUCCESS) { statement; }                                                                         \
        pthread_mutex_unlock(&lock);                                                                                  \
        return result;                                                                                                \
    }
SYSTEM(nvmlSystemGetDriverVersion, (char *out, uint room), snprintf(out, room, "%s", machine.driver))
SYSTEM(nvmlSystemGetNVMLVersion, (char *out, uint room), snprintf(out, room, "13.%s", machine.driver))
SYSTEM(nvmlSystemGetCudaDriverVersion_v2, (int *out), *out = machine.cuda)
SYSTEM(nvmlSystemGetCudaDriverVersion, (int *out), *out = machine.cuda)
SYSTEM(nvmlDeviceGetCount_v2, (uint *out), *out = (uint)machine.count)
SYSTEM(nvmlDeviceGetCount, (uint *out), *out = (uint)machine.count)
SYSTEM(nvmlSystemGetProcessName, (uint pid, char *out, uint room), snprintf(out, room, "process-%u", pid))

static Return by_index(uint index, Device *out, const char *function) {
    if (index >= (uint)machine.count) return INVALID_ARGUMENT;
    *out = handle_of((int)index, -1);
    return gpu_error(machine.gpu[index].errors, function, "handle", machine_time());
}
SYSTEM(nvmlDeviceGetHandleByIndex_v2, (uint index, Device *out), result = by_index(index, out, "nvmlDeviceGetHandleByIndex"))
SYSTEM(nvmlDeviceGetHandleByIndex, (uint index, Device *out), result = by_index(index, out, "nvmlDeviceGetHandleByIndex"))

static Return by_uuid(const char *uuid, Device *out) {
    for (int i = 0; i < machine.count; i++) {
        const Gpu *gpu = &machine.gpu[i];
        char slice[TEXT];
        Return error = gpu_error(gpu->errors, "nvmlDeviceGetHandleByUUID", "handle", machine_time());
        if (!strcmp(uuid, gpu->uuid)) {
            *out = handle_of(i, -1);
            return error;
        }
        for (uint m = 0; m < MAX_MIGS && gpu_mig_uuid(gpu, m, slice, sizeof slice); m++)
            if (!strcmp(uuid, slice)) {
                *out = handle_of(i, (int)m);
                return error;
            }
    }
    return NOT_FOUND;
}
SYSTEM(nvmlDeviceGetHandleByUUID, (const char *uuid, Device *out), result = by_uuid(uuid, out))

static Return by_pci(const char *pci, Device *out) {
    for (int i = 0; i < machine.count; i++)
        if (!strcmp(pci, machine.gpu[i].pci_bus_id)) return by_index((uint)i, out, "nvmlDeviceGetHandleByPciBusId");
    return NOT_FOUND;
}
SYSTEM(nvmlDeviceGetHandleByPciBusId_v2, (const char *pci, Device *out), result = by_pci(pci, out))

/* What a GPU is */
ANSWER(nvmlDeviceGetName, "facts", (char *out, uint room), {
    if (device->slice < 0) snprintf(out, room, "%s", gpu->name);
    else snprintf(out, room, "%s MIG 1g.10gb", gpu->name);
})
ANSWER(nvmlDeviceGetUUID, "facts", (char *out, uint room), {
    if (device->slice < 0) snprintf(out, room, "%s", gpu->uuid);
    else gpu_mig_uuid(gpu, (uint)device->slice, out, room);
})
GIVE_TEXT(nvmlDeviceGetSerial, "facts", gpu->serial)
GIVE_TEXT(nvmlDeviceGetVbiosVersion, "facts", gpu->vbios)
GIVE(nvmlDeviceGetIndex, "facts", device->gpu)
GIVE(nvmlDeviceGetMinorNumber, "facts", device->gpu)
GIVE(nvmlDeviceGetArchitecture, "facts", gpu->architecture)
GIVE(nvmlDeviceGetBrand, "facts", 14)
GIVE(nvmlDeviceGetComputeMode, "facts", 0)
GIVE(nvmlDeviceGetPerformanceState, "facts", 0)
GIVE(nvmlDeviceGetPowerState, "facts", 0)
ANSWER(nvmlDeviceGetCudaComputeCapability, "facts", (int *major, int *minor),
       (*major = (int)gpu->compute_major, *minor = (int)gpu->compute_minor))
GIVE_LONG(nvmlDeviceGetVirtualizationMode, "facts", gpu->virtualization)

struct memory { ulong64 total, free, used; };
ANSWER(nvmlDeviceGetMemoryInfo, "facts", (struct memory *out), {
    out->total = (ulong64)gpu->memory_mib << 20;
    out->used = out->total / 10;
    out->free = out->total - out->used;
})
struct memory_v2 { uint version; ulong64 total, reserved, free, used; };
ANSWER(nvmlDeviceGetMemoryInfo_v2, "facts", (struct memory_v2 *out), {
    out->total = (ulong64)gpu->memory_mib << 20;
    out->reserved = 0;
    out->used = out->total / 10;
    out->free = out->total - out->used;
})

/* MIG */
ANSWER(nvmlDeviceGetMigMode, "mig", (uint *now, uint *pending), WHOLE(*now = *pending = (uint)series_at(&gpu->mig, t)))
ANSWER(nvmlDeviceGetMaxMigDeviceCount, "mig", (uint *out), *out = MAX_MIGS)
ANSWER(nvmlDeviceGetMigDeviceHandleByIndex, "mig", (uint index, Device *out), {
    char uuid[TEXT];
    if (!gpu_mig_uuid(gpu, index, uuid, sizeof uuid)) result = NOT_FOUND;
    else *out = handle_of(device->gpu, (int)index);
})
GIVE(nvmlDeviceIsMigDeviceHandle, "mig", device->slice >= 0)
ANSWER(nvmlDeviceGetDeviceHandleFromMigDeviceHandle, "mig", (Device *out), *out = handle_of(device->gpu, -1))
GIVE(nvmlDeviceGetGpuInstanceId, "mig", device->slice + 7)
GIVE(nvmlDeviceGetComputeInstanceId, "mig", 0)

/* Power and energy */
ANSWER(nvmlDeviceGetPowerUsage, "power", (uint *out), WHOLE(*out = (uint)(1e3 * gpu_power_w(gpu, t, gpu->power_average_s))))
ANSWER(nvmlDeviceGetTotalEnergyConsumption, "energy", (ulong64 *out), WHOLE(*out = gpu_counter_mj(gpu, t)))
GIVE(nvmlDeviceGetEnforcedPowerLimit, "limits", 1e3 * series_at(&gpu->power_limit_w, t))
GIVE(nvmlDeviceGetPowerManagementLimit, "limits", 1e3 * series_at(&gpu->power_limit_w, t))
GIVE(nvmlDeviceGetPowerManagementDefaultLimit, "limits", 1e3 * gpu->power_default_w)
GIVE(nvmlDeviceGetPowerManagementMode, "limits", 1)
ANSWER(nvmlDeviceGetPowerManagementLimitConstraints, "limits", (uint *low, uint *high),
       (*low = (uint)(1e3 * gpu->power_min_w), *high = (uint)(1e3 * gpu->power_max_w)))

struct field {
    uint id, scope;
    long long timestamp, latency;
    int type;
    Return result;
    union { double d; uint u; ulong64 l; } value;
};
static void answer_field(const Gpu *gpu, double t, struct field *field) {
    enum { MEMORY_TEMP = 82, TOTAL_ENERGY = 83, LINK_COUNT = 91, POWER_AVERAGE = 185, POWER_INSTANT = 186 };
    enum { SCOPE_GPU = 0, SCOPE_MODULE = 1, TYPE_UINT = 1, TYPE_ULONG64 = 3 };
    const char *family = field->id == TOTAL_ENERGY ? "energy" : field->id >= POWER_AVERAGE ? "power" : "facts";
    field->timestamp = (long long)((t + machine.t0) * 1e6);
    field->latency = 0;
    field->type = TYPE_UINT;
    field->value.l = 0;
    field->result = gpu_error(gpu->errors, "nvmlDeviceGetFieldValues", family, t);
    if (field->result != SUCCESS) return;
    switch (field->id) {
        case MEMORY_TEMP: field->value.u = (uint)series_at(&gpu->temperature_c, t) + 8; break;
        case LINK_COUNT: field->value.u = (uint)gpu->nvlinks; break;
        case TOTAL_ENERGY: field->type = TYPE_ULONG64; field->value.l = gpu_counter_mj(gpu, t); break;
        case POWER_AVERAGE:
        case POWER_INSTANT: {
            double watts = gpu_power_w(gpu, t, field->id == POWER_AVERAGE ? 1 : 0);
            if (field->scope == SCOPE_MODULE && gpu->module_w > 0) watts += gpu->module_w;
            else if (field->scope != SCOPE_GPU) field->result = NOT_SUPPORTED;
            field->value.u = (uint)(1e3 * watts);
            break;
        }
        default: field->result = NOT_SUPPORTED;
    }
}
ANSWER(nvmlDeviceGetFieldValues, "fields", (int count, struct field *fields),
       for (int i = 0; i < count; i++) answer_field(gpu, t, &fields[i]))

/* In what state it is */
ANSWER(nvmlDeviceGetTemperature, "temperature", (uint sensor, uint *out),
       ((void)sensor, *out = (uint)lround(series_at(&gpu->temperature_c, t))))
struct temperature { uint version, sensor; int value; };
ANSWER(nvmlDeviceGetTemperatureV, "temperature", (struct temperature *out),
       out->value = (int)lround(series_at(&gpu->temperature_c, t)))
ANSWER(nvmlDeviceGetTemperatureThreshold, "temperature", (uint which, uint *out), *out = which ? 87 : 92)

static uint clock_now_mhz(const Gpu *gpu, uint domain, double t) {
    return (uint)series_at(domain == 2 ? &gpu->mem_clock_mhz : &gpu->sm_clock_mhz, t);
}
static uint clock_app_mhz(const Gpu *gpu, uint domain, double t) {
    return (uint)series_at(domain == 2 ? &gpu->mem_clock_app_mhz : &gpu->sm_clock_app_mhz, t);
}
static uint clock_default_mhz(const Gpu *gpu, uint domain) {
    return (uint)(domain == 2 ? gpu->mem_clock_default_mhz : gpu->sm_clock_default_mhz);
}
static uint clock_max_mhz(const Gpu *gpu, uint domain) {
    return (uint)(domain == 2 ? gpu->mem_clock_max_mhz : gpu->sm_clock_max_mhz);
}
ANSWER(nvmlDeviceGetClockInfo, "clocks", (uint domain, uint *out), *out = clock_now_mhz(gpu, domain, t))
ANSWER(nvmlDeviceGetMaxClockInfo, "clocks", (uint domain, uint *out), *out = clock_max_mhz(gpu, domain))
ANSWER(nvmlDeviceGetMaxCustomerBoostClock, "clocks", (uint domain, uint *out), *out = clock_max_mhz(gpu, domain))
ANSWER(nvmlDeviceGetApplicationsClock, "app_clocks", (uint domain, uint *out), *out = clock_app_mhz(gpu, domain, t))
ANSWER(nvmlDeviceGetDefaultApplicationsClock, "app_clocks", (uint domain, uint *out), *out = clock_default_mhz(gpu, domain))
ANSWER(nvmlDeviceGetClock, "clocks", (uint domain, uint which, uint *out), switch (which) {
    case 0: *out = clock_now_mhz(gpu, domain, t); break;
    case 1: *out = clock_app_mhz(gpu, domain, t); break;
    case 2: *out = clock_default_mhz(gpu, domain); break;
    case 3: *out = clock_max_mhz(gpu, domain); break;
    default: result = INVALID_ARGUMENT;
})
GIVE_LONG(nvmlDeviceGetCurrentClocksEventReasons, "reasons", series_at(&gpu->reasons, t))
GIVE_LONG(nvmlDeviceGetCurrentClocksThrottleReasons, "reasons", series_at(&gpu->reasons, t))
GIVE_LONG(nvmlDeviceGetSupportedClocksEventReasons, "reasons", 0x1ff)
GIVE_LONG(nvmlDeviceGetSupportedClocksThrottleReasons, "reasons", 0x1ff)

struct rates { uint gpu, memory; };
ANSWER(nvmlDeviceGetUtilizationRates, "utilization", (struct rates *out), {
    /* A GPU that is cut into slices does not tell its use, nor do they. */
    if (device->slice >= 0 || series_at(&gpu->mig, t) > 0) result = NOT_SUPPORTED;
    else { out->gpu = (uint)series_at(&gpu->utilization_percent, t); out->memory = out->gpu / 2; }
})
GIVE(nvmlDeviceGetPersistenceMode, "persistence", series_at(&gpu->persistence, t))
ANSWER(nvmlDeviceGetEccMode, "ecc", (uint *now, uint *pending), *now = *pending = (uint)series_at(&gpu->ecc, t))
ANSWER(nvmlDeviceGetTotalEccErrors, "ecc", (uint kind, uint counter, ulong64 *out), ((void)kind, (void)counter, *out = 0))

/* Processes on it */
struct process { uint pid; ulong64 memory; uint gpu_instance, compute_instance; };
static Return list_processes(const Gpu *gpu, double t, uint *room, struct process *out) {
    uint pids[MAX_PIDS], found = gpu_processes(gpu, t, pids), given = *room;
    *room = found;
    if (found > given) return INSUFFICIENT_SIZE;
    for (uint i = 0; out && i < found; i++) out[i] = (struct process){pids[i], 1ull << 30, 0xffffffff, 0xffffffff};
    return SUCCESS;
}
#define PROCESSES(function, call)                                                                                     \
    ANSWER(function, "processes", (uint *room, struct process *out), result = call)                                   \
    ANSWER(function##_v2, "processes", (uint *room, struct process *out), result = call)                              \
    ANSWER(function##_v3, "processes", (uint *room, struct process *out), result = call)
#define NONE ((void)out, *room = 0, SUCCESS)
PROCESSES(nvmlDeviceGetComputeRunningProcesses, list_processes(gpu, t, room, out))
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses, NONE)
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses, NONE)

/* How it is linked */
struct pci { char legacy[16]; uint domain, bus, device, id, subsystem; char bus_id[32]; };
ANSWER(nvmlDeviceGetPciInfo_v3, "facts", (struct pci *out), {
    memset(out, 0, sizeof *out);
    out->bus = (uint)(0x10 + 0x08 * device->gpu);
    out->id = 0x233010de;
    snprintf(out->bus_id, sizeof out->bus_id, "%.31s", gpu->pci_bus_id);
    snprintf(out->legacy, sizeof out->legacy, "%.15s", strlen(gpu->pci_bus_id) > 4 ? gpu->pci_bus_id + 4 : "");
})
GIVE(nvmlDeviceGetCurrPcieLinkGeneration, "links", gpu->pcie_generation)
GIVE(nvmlDeviceGetCurrPcieLinkWidth, "links", gpu->pcie_width)
GIVE(nvmlDeviceGetMaxPcieLinkGeneration, "links", gpu->pcie_generation)
GIVE(nvmlDeviceGetMaxPcieLinkWidth, "links", gpu->pcie_width)
ANSWER(nvmlDeviceGetNvLinkState, "links", (uint link, uint *out), {
    if (gpu->nvlinks <= 0) result = NOT_SUPPORTED;
    else if (link >= 18) result = INVALID_ARGUMENT;
    else *out = link < gpu->nvlinks;
})
ANSWER(nvmlDeviceGetP2PStatus, "links", (Device other, int which, int *out),
       ((void)other, *out = which == 2 && gpu->nvlinks <= 0 ? 5 : 0))
ANSWER(nvmlDeviceGetTopologyCommonAncestor, "links", (Device other, int *out), ((void)other, *out = (int)gpu->topology))
ANSWER(nvmlDeviceGetC2cModeInfoV, "links", (uint *out), {
    if (gpu->module_w > 0) *out = 1; else result = NOT_SUPPORTED;
})
