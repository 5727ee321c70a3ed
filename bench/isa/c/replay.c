// Compiles compute pipelines that the layer wrote, on the first physical device, and prints what the driver's compiler
// says, one line of JSON each: first {"device", "driver", "version"}, then for each executable {"pipeline", "index",
// "subgroup", "statistics": {...}}, or {"pipeline", "error"} if the driver refuses it.
//   replay OUT FILE.txt...     its assembly and other representations become OUT/NNNN.INDEX.NAME.txt
// Every access is checked against its buffer's size, as WebGPU requires.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define MOST_SETS 16
#define MOST_BINDINGS 64
#define MOST_RANGES 8

static VkDevice device;
static PFN_vkGetPipelineExecutablePropertiesKHR get_executables;
static PFN_vkGetPipelineExecutableStatisticsKHR get_statistics;
static PFN_vkGetPipelineExecutableInternalRepresentationsKHR get_representations;

static void fail(const char *what) {
  fprintf(stderr, "replay: %s\n", what);
  exit(1);
}

static void check(VkResult result, const char *what) {
  if (result >= VK_SUCCESS) return;
  fprintf(stderr, "replay: %s gives %d\n", what, result);
  exit(1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count + 1, size);
  if (!memory) fail("no memory");
  return memory;
}

// The bytes of a file, followed by a zero.
static void *contents(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) fail(path);
  long length = ftell(file);
  if (length < 0) fail(path);
  rewind(file);
  char *data = allocate(length, 1);
  if (fread(data, 1, length, file) != (size_t)length) fail(path);
  fclose(file);
  *size = length;
  return data;
}

static void print_text(const char *text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    if ((unsigned char)*text >= ' ') putchar(*text);
  }
  putchar('"');
}

struct stage {
  char entry[256];
  uint32_t flags;
  uint32_t subgroup;
  VkPipelineLayout layout;
};

// Bindings as the layer writes them: number:type:count, with spaces between.
static VkDescriptorSetLayout parse_set(char *line) {
  VkDescriptorSetLayoutBinding bindings[MOST_BINDINGS];
  unsigned count = 0, binding, type, descriptors;
  char *rest;
  for (char *item = strtok_r(line, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
    if (sscanf(item, "%u:%u:%u", &binding, &type, &descriptors) != 3) continue;
    if (count == MOST_BINDINGS) fail("too many bindings");
    bindings[count++] = (VkDescriptorSetLayoutBinding){binding, type, descriptors, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
  }
  VkDescriptorSetLayoutCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, NULL, 0, count, bindings};
  VkDescriptorSetLayout set;
  check(vkCreateDescriptorSetLayout(device, &info, NULL, &set), "vkCreateDescriptorSetLayout");
  return set;
}

static struct stage parse_stage(char *text) {
  struct stage stage = {"main", 0, 0, VK_NULL_HANDLE};
  VkDescriptorSetLayout sets[MOST_SETS];
  VkPushConstantRange ranges[MOST_RANGES];
  unsigned set_count = 0, range_count = 0, offset, size;
  char *rest;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (sscanf(line, "entry %255s", stage.entry) == 1) continue;
    if (sscanf(line, "flags %u", &stage.flags) == 1) continue;
    if (sscanf(line, "subgroup %u", &stage.subgroup) == 1) continue;
    if (sscanf(line, "push %u %u", &offset, &size) == 2) {
      if (range_count == MOST_RANGES) fail("too many push constants");
      ranges[range_count++] = (VkPushConstantRange){VK_SHADER_STAGE_COMPUTE_BIT, offset, size};
    } else if (!strncmp(line, "set", 3)) {
      if (set_count == MOST_SETS) fail("too many sets");
      sets[set_count++] = parse_set(line + 3);
    } else {
      fail("specialisation constants are not supported");
    }
  }
  VkPipelineLayoutCreateInfo info = {
    VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, NULL, 0, set_count, sets, range_count, ranges,
  };
  check(vkCreatePipelineLayout(device, &info, NULL, &stage.layout), "vkCreatePipelineLayout");
  return stage;
}

static void print_statistics(const VkPipelineExecutableInfoKHR *executable) {
  uint32_t count = 0;
  check(get_statistics(device, executable, &count, NULL), "statistics");
  VkPipelineExecutableStatisticKHR *all = allocate(count, sizeof *all);
  for (unsigned i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
  check(get_statistics(device, executable, &count, all), "statistics");
  printf("\"statistics\": {");
  for (unsigned i = 0; i < count; i++) {
    if (i > 0) printf(", ");
    print_text(all[i].name);
    printf(": ");
    switch (all[i].format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: printf("%u", all[i].value.b32 != 0); break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: printf("%lld", (long long)all[i].value.i64); break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: printf("%llu", (unsigned long long)all[i].value.u64); break;
    default: printf("%g", all[i].value.f64);
    }
  }
  printf("}");
  free(all);
}

static void write_representations(const VkPipelineExecutableInfoKHR *executable, const char *out, const char *pipeline) {
  uint32_t count = 0;
  check(get_representations(device, executable, &count, NULL), "representations");
  VkPipelineExecutableInternalRepresentationKHR *all = allocate(count, sizeof *all);
  for (unsigned i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
  check(get_representations(device, executable, &count, all), "representations");
  for (unsigned i = 0; i < count; i++) all[i].pData = allocate(all[i].dataSize, 1);
  check(get_representations(device, executable, &count, all), "representations");
  for (unsigned i = 0; i < count; i++) {
    for (char *c = all[i].name; *c; c++)
      if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))) *c = '_';
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%u.%s.txt", out, pipeline, executable->executableIndex, all[i].name);
    FILE *file = fopen(path, "wb");
    if (!file) fail(path);
    fwrite(all[i].pData, 1, strnlen(all[i].pData, all[i].dataSize), file);
    fclose(file);
    free(all[i].pData);
  }
  free(all);
}

static void print_executables(VkPipeline pipeline, const char *out, const char *name) {
  VkPipelineInfoKHR which = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, pipeline};
  uint32_t count = 0;
  check(get_executables(device, &which, &count, NULL), "executables");
  VkPipelineExecutablePropertiesKHR *all = allocate(count, sizeof *all);
  for (unsigned i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR;
  check(get_executables(device, &which, &count, all), "executables");
  for (unsigned i = 0; i < count; i++) {
    VkPipelineExecutableInfoKHR executable = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipeline, i};
    printf("{\"pipeline\": \"%s\", \"index\": %u, \"subgroup\": %u, ", name, i, all[i].subgroupSize);
    print_statistics(&executable);
    printf("}\n");
    write_representations(&executable, out, name);
  }
  free(all);
}

static void compile(const char *out, const char *path) {
  size_t length = strlen(path), size;
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  if (length < 5 || length > 4000 || strcmp(path + length - 4, ".txt")) fail("a file of the layer ends in .txt");
  char name[256], code_path[4096];
  snprintf(name, sizeof name, "%.*s", (int)(strlen(base) - 4), base);
  snprintf(code_path, sizeof code_path, "%.*s.spv", (int)(length - 4), path);
  struct stage stage = parse_stage(contents(path, &size));
  uint32_t *code = contents(code_path, &size);
  VkShaderModuleCreateInfo module_info = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, NULL, 0, size, code};
  VkShaderModule module;
  check(vkCreateShaderModule(device, &module_info, NULL, &module), "vkCreateShaderModule");
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo required = {
    VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO, NULL, stage.subgroup,
  };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR,
    .stage = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .pNext = stage.subgroup ? &required : NULL,
      .flags = stage.flags, .stage = VK_SHADER_STAGE_COMPUTE_BIT, .module = module, .pName = stage.entry,
    },
    .layout = stage.layout,
  };
  VkPipeline pipeline;
  VkResult result = vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
  if (result == VK_SUCCESS) print_executables(pipeline, out, name);
  else printf("{\"pipeline\": \"%s\", \"error\": %d}\n", name, result);
  fflush(stdout);
}

// The first device of the driver that $VK_DRIVER_FILES names.
static VkPhysicalDevice first_gpu(void) {
  VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "replay", 1, "replay", 1, VK_API_VERSION_1_3};
  VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, NULL, 0, &application, 0, NULL, 0, NULL};
  VkInstance instance;
  check(vkCreateInstance(&info, NULL, &instance), "vkCreateInstance");
  VkPhysicalDevice gpu;
  uint32_t count = 1;
  check(vkEnumeratePhysicalDevices(instance, &count, &gpu), "vkEnumeratePhysicalDevices");
  if (count == 0) fail("the driver has no device");
  VkPhysicalDeviceDriverProperties driver = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
  vkGetPhysicalDeviceProperties2(gpu, &all);
  printf("{\"device\": ");
  print_text(all.properties.deviceName);
  printf(", \"driver\": ");
  print_text(driver.driverName);
  printf(", \"version\": ");
  print_text(driver.driverInfo);
  printf("}\n");
  return gpu;
}

static int supports(VkPhysicalDevice gpu, const char *extension) {
  uint32_t count = 0;
  check(vkEnumerateDeviceExtensionProperties(gpu, NULL, &count, NULL), "extensions");
  VkExtensionProperties *all = allocate(count, sizeof *all);
  check(vkEnumerateDeviceExtensionProperties(gpu, NULL, &count, all), "extensions");
  int found = 0;
  for (unsigned i = 0; i < count; i++) found |= !strcmp(all[i].extensionName, extension);
  free(all);
  return found;
}

// A device with everything that it offers.
static void open_device(VkPhysicalDevice gpu) {
  const char *extensions[2] = {VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME, VK_EXT_ROBUSTNESS_2_EXTENSION_NAME};
  if (!supports(gpu, extensions[0])) fail("the driver returns no assembly");
  const int is_robust = supports(gpu, extensions[1]);
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR};
  VkPhysicalDeviceRobustness2FeaturesEXT robust = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT, .pNext = &executable};
  VkPhysicalDeviceVulkan13Features v13 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, .pNext = is_robust ? (void *)&robust : &executable};
  VkPhysicalDeviceVulkan12Features v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &v13};
  VkPhysicalDeviceVulkan11Features v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v11};
  vkGetPhysicalDeviceFeatures2(gpu, &features);
  // These belong to other extensions.
  v12.bufferDeviceAddressCaptureReplay = v12.bufferDeviceAddressMultiDevice = v11.protectedMemory = 0;
  const float priority = 1;
  VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, 0, 1, &priority};
  VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &features, 0, 1, &queue, 0, NULL,
                             is_robust ? 2 : 1, extensions, NULL};
  check(vkCreateDevice(gpu, &info, NULL, &device), "vkCreateDevice");
  get_executables = (void *)vkGetDeviceProcAddr(device, "vkGetPipelineExecutablePropertiesKHR");
  get_statistics = (void *)vkGetDeviceProcAddr(device, "vkGetPipelineExecutableStatisticsKHR");
  get_representations = (void *)vkGetDeviceProcAddr(device, "vkGetPipelineExecutableInternalRepresentationsKHR");
}

int main(int argc, char **argv) {
  if (argc < 2) fail("usage: replay OUT FILE.txt...");
  open_device(first_gpu());
  for (int i = 2; i < argc; i++) compile(argv[1], argv[i]);
  fflush(stdout);
  // A driver without a GPU may be unable to shut down properly.
  _Exit(0);
}
