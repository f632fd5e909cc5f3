/* No test may set a GPU's state: setters write their name to the file FAKE_NVML_LOG and answer "no permission". */
#include <stdio.h>
#include <stdlib.h>

static int deny(const char *function) {
    const char *path = getenv("FAKE_NVML_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (log) {
        fprintf(log, "%s\n", function);
        fclose(log);
    }
    return 4; /* NVML_ERROR_NO_PERMISSION */
}
/* Whatever the arguments are, they are not looked at. */
#define DENY(function) int function(void) { return deny(#function); }
DENY(nvmlDeviceSetPowerManagementLimit) DENY(nvmlDeviceSetPowerManagementLimit_v2) DENY(nvmlDeviceSetPersistenceMode)
DENY(nvmlDeviceSetGpuLockedClocks) DENY(nvmlDeviceResetGpuLockedClocks) DENY(nvmlDeviceSetMemoryLockedClocks)
DENY(nvmlDeviceResetMemoryLockedClocks) DENY(nvmlDeviceSetApplicationsClocks) DENY(nvmlDeviceResetApplicationsClocks)
DENY(nvmlDeviceSetComputeMode) DENY(nvmlDeviceSetEccMode) DENY(nvmlDeviceClearEccErrorCounts)
DENY(nvmlDeviceSetMigMode) DENY(nvmlDeviceSetClockOffsets) DENY(nvmlDeviceSetAutoBoostedClocksEnabled)
DENY(nvmlDeviceSetDefaultAutoBoostedClocksEnabled) DENY(nvmlDeviceSetAccountingMode) DENY(nvmlDeviceSetFanSpeed_v2)
DENY(nvmlDeviceSetTemperatureThreshold) DENY(nvmlDeviceSetCpuAffinity) DENY(nvmlDeviceSetGpuOperationMode)
DENY(nvmlDeviceSetVirtualizationMode) DENY(nvmlDeviceSetAPIRestriction) DENY(nvmlDeviceSetGpcClkVfOffset)
DENY(nvmlDeviceSetMemClkVfOffset) DENY(nvmlDeviceModifyDrainState) DENY(nvmlDeviceRemoveGpu)
DENY(nvmlDeviceCreateGpuInstance) DENY(nvmlGpuInstanceDestroy)
