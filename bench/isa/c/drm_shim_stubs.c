// What Mesa's drm-shim refers to, and does not need here.
#include <stdbool.h>

bool intel_device_info_from_json(const char *path, void *devinfo) {
  (void)path, (void)devinfo;
  return false;
}

const char *util_get_process_name(void) {
  return "drm-shim";
}
