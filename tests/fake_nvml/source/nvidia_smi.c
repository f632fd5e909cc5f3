/* A stand-in for nvidia-smi: tells the GPUs of the libnvidia-ml.so.1 beside it, for programs that run the command.
 *
 * Knows: no argument, --help, -L, --query-gpu=FIELDS --format=csv[,noheader][,nounits] with the fields below.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *library;

static int ask(const char *function, void *handle, void *out) {
    int (*call)(void *, void *) = (int (*)(void *, void *))dlsym(library, function);
    return call(handle, out);
}

static int ask_text(const char *function, void *handle, char *out, unsigned room) {
    int (*call)(void *, char *, unsigned) = (int (*)(void *, char *, unsigned))dlsym(library, function);
    return call(handle, out, room);
}

static void field(const char *name, unsigned index, void *handle, int units) {
    char text[128] = "[N/A]";
    unsigned number = 0;
    struct { unsigned long long total, free, used; } memory;
    if (!strcmp(name, "index")) snprintf(text, sizeof text, "%u", index);
    else if (!strcmp(name, "name")) ask_text("nvmlDeviceGetName", handle, text, sizeof text);
    else if (!strcmp(name, "uuid") || !strcmp(name, "gpu_uuid")) ask_text("nvmlDeviceGetUUID", handle, text, sizeof text);
    else if (!strcmp(name, "driver_version"))
        ((int (*)(char *, unsigned))dlsym(library, "nvmlSystemGetDriverVersion"))(text, sizeof text);
    else if (!strcmp(name, "memory.total")) {
        if (!ask("nvmlDeviceGetMemoryInfo", handle, &memory))
            snprintf(text, sizeof text, "%llu%s", memory.total >> 20, units ? " MiB" : "");
    } else if (!strcmp(name, "power.draw")) {
        if (!ask("nvmlDeviceGetPowerUsage", handle, &number))
            snprintf(text, sizeof text, "%.2f%s", number / 1e3, units ? " W" : "");
    } else if (!strcmp(name, "power.limit")) {
        if (!ask("nvmlDeviceGetEnforcedPowerLimit", handle, &number))
            snprintf(text, sizeof text, "%.2f%s", number / 1e3, units ? " W" : "");
    } else {
        printf("Field \"%s\" is not a valid field to query.\n", name);
        exit(2);
    }
    printf("%s", text);
}

int main(int count, char **arguments) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    const char *query = NULL, *format = "csv";
    int list = 0;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--help") || !strcmp(arguments[i], "-h")) return puts("NVIDIA System Management Interface") < 0;
        if (!strcmp(arguments[i], "-L")) list = 1;
        if (!strncmp(arguments[i], "--query-gpu=", 12)) query = arguments[i] + 12;
        if (!strncmp(arguments[i], "--format=", 9)) format = arguments[i] + 9;
    }
    if (length < 0) return 1;
    path[length] = 0;
    library = dlopen(strcat(dirname(path), "/libnvidia-ml.so.1"), RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    if (((int (*)(void))dlsym(library, "nvmlInit_v2"))()) {
        puts("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.");
        return 9;
    }
    unsigned gpus = 0;
    ((int (*)(unsigned *))dlsym(library, "nvmlDeviceGetCount_v2"))(&gpus);
    if (query && !strstr(format, "noheader")) printf("%s\n", query);
    for (unsigned i = 0; i < gpus; i++) {
        void *handle;
        int (*find)(unsigned, void **) = (int (*)(unsigned, void **))dlsym(library, "nvmlDeviceGetHandleByIndex_v2");
        if (find(i, &handle)) continue;
        if (!query) {
            char name[128] = "?", uuid[128] = "?";
            ask_text("nvmlDeviceGetName", handle, name, sizeof name);
            ask_text("nvmlDeviceGetUUID", handle, uuid, sizeof uuid);
            printf(list ? "GPU %u: %s (UUID: %s)\n" : "| %u %s %s |\n", i, name, uuid);
            continue;
        }
        char fields[1024];
        snprintf(fields, sizeof fields, "%s", query);
        const char *separator = "";
        for (char *name = strtok(fields, ", "); name; name = strtok(NULL, ", ")) {
            printf("%s", separator);
            field(name, i, handle, !strstr(format, "nounits"));
            separator = ", ";
        }
        puts("");
    }
    return 0;
}
