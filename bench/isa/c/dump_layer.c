// A Vulkan layer that writes every compute pipeline of an application to the folder $DUMP_FOLDER:
//   NNNN.spv   the SPIR-V of its shader module
//   NNNN.txt   entry point, flags, push constants, and the bindings of its descriptor sets, an item a line
// NNNN counts the pipelines from 0. The driver gets everything as the application gave it, and the application gets the
// driver's answers, except for one limit: software drivers bind less at once than GPUs do, so a large training could
// not be recorded. $DUMP_STORAGE_BYTES is the limit that the application sees.

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define MOST_OBJECTS 65536

// What a handle stands for: the SPIR-V of a module, or the bindings of a layout as text.
struct object {
  uint64_t handle;
  void *data;
  size_t size;
};

static struct object objects[MOST_OBJECTS];
static unsigned object_count, pipeline_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Functions below this layer. An application opens one instance and one device at a time; the last one's functions are
// used.
static PFN_vkGetInstanceProcAddr next_instance_proc;
static PFN_vkGetDeviceProcAddr next_device_proc;
static VkInstance instance;
static PFN_vkGetPhysicalDeviceProperties get_properties;
static PFN_vkGetPhysicalDeviceProperties2 get_properties2;
static PFN_vkCreateShaderModule create_module;
static PFN_vkCreateDescriptorSetLayout create_set_layout;
static PFN_vkCreatePipelineLayout create_layout;
static PFN_vkCreateComputePipelines create_pipelines;

static void keep(uint64_t handle, const void *data, size_t size) {
  void *copy = malloc(size);
  if (!copy) return;
  memcpy(copy, data, size);
  pthread_mutex_lock(&lock);
  unsigned i = 0;
  while (i < object_count && objects[i].handle != handle) i++;
  if (i == object_count) {
    if (object_count == MOST_OBJECTS) {
      fprintf(stderr, "dump layer: more than %d objects\n", MOST_OBJECTS);
      abort();
    }
    object_count++;
  }
  free(objects[i].data);
  objects[i] = (struct object){handle, copy, size};
  pthread_mutex_unlock(&lock);
}

static struct object find(uint64_t handle) {
  struct object found = {0};
  pthread_mutex_lock(&lock);
  for (unsigned i = 0; i < object_count; i++)
    if (objects[i].handle == handle) found = objects[i];
  pthread_mutex_unlock(&lock);
  return found;
}

static FILE *open_dump(unsigned number, const char *suffix) {
  const char *folder = getenv("DUMP_FOLDER");
  if (!folder) return NULL;
  char path[4096];
  snprintf(path, sizeof path, "%s/%04u.%s", folder, number, suffix);
  FILE *file = fopen(path, "wb");
  if (!file) perror(path);
  return file;
}

static VkResult VKAPI_CALL own_create_module(VkDevice device, const VkShaderModuleCreateInfo *info,
                                             const VkAllocationCallbacks *allocator, VkShaderModule *module) {
  VkResult result = create_module(device, info, allocator, module);
  if (result == VK_SUCCESS) keep((uint64_t)*module, info->pCode, info->codeSize);
  return result;
}

// A set's bindings as text: number:type:count of each, with a space after it.
static VkResult VKAPI_CALL own_create_set_layout(VkDevice device, const VkDescriptorSetLayoutCreateInfo *info,
                                                 const VkAllocationCallbacks *allocator, VkDescriptorSetLayout *layout) {
  VkResult result = create_set_layout(device, info, allocator, layout);
  if (result != VK_SUCCESS) return result;
  char text[16384] = "";
  size_t length = 0;
  for (unsigned i = 0; i < info->bindingCount && length < sizeof text; i++) {
    const VkDescriptorSetLayoutBinding *b = &info->pBindings[i];
    length += snprintf(text + length, sizeof text - length, "%u:%u:%u ", b->binding, b->descriptorType, b->descriptorCount);
  }
  keep((uint64_t)*layout, text, strlen(text) + 1);
  return result;
}

static VkResult VKAPI_CALL own_create_layout(VkDevice device, const VkPipelineLayoutCreateInfo *info,
                                             const VkAllocationCallbacks *allocator, VkPipelineLayout *layout) {
  VkResult result = create_layout(device, info, allocator, layout);
  if (result != VK_SUCCESS) return result;
  char text[65536] = "";
  size_t length = 0;
  for (unsigned i = 0; i < info->pushConstantRangeCount && length < sizeof text; i++) {
    const VkPushConstantRange *range = &info->pPushConstantRanges[i];
    length += snprintf(text + length, sizeof text - length, "push %u %u\n", range->offset, range->size);
  }
  for (unsigned i = 0; i < info->setLayoutCount && length < sizeof text; i++) {
    struct object set = find((uint64_t)info->pSetLayouts[i]);
    length += snprintf(text + length, sizeof text - length, "set %s\n", set.data ? (const char *)set.data : "");
  }
  keep((uint64_t)*layout, text, strlen(text) + 1);
  return result;
}

static void dump(const VkComputePipelineCreateInfo *info) {
  const VkPipelineShaderStageCreateInfo *stage = &info->stage;
  struct object code = find((uint64_t)stage->module);
  uint32_t subgroup = 0;
  for (const VkBaseInStructure *more = stage->pNext; more; more = more->pNext) {
    if (more->sType == VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO) {
      const VkShaderModuleCreateInfo *inlined = (const void *)more;
      code = (struct object){0, (void *)inlined->pCode, inlined->codeSize};
    }
    if (more->sType == VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO)
      subgroup = ((const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo *)more)->requiredSubgroupSize;
  }
  unsigned number = __sync_fetch_and_add(&pipeline_count, 1);
  FILE *file = open_dump(number, "spv");
  if (file) {
    fwrite(code.data, 1, code.size, file);
    fclose(file);
  }
  file = open_dump(number, "txt");
  if (!file) return;
  fprintf(file, "entry %s\nflags %u\nsubgroup %u\n", stage->pName, stage->flags, subgroup);
  const VkSpecializationInfo *constants = stage->pSpecializationInfo;
  if (constants && constants->mapEntryCount > 0) fprintf(file, "specialized %u\n", constants->mapEntryCount);
  struct object layout = find((uint64_t)info->layout);
  if (layout.data) fputs(layout.data, file);
  fclose(file);
}

static VkResult VKAPI_CALL own_create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                const VkComputePipelineCreateInfo *infos,
                                                const VkAllocationCallbacks *allocator, VkPipeline *pipelines) {
  for (uint32_t i = 0; i < count; i++) dump(&infos[i]);
  return create_pipelines(device, cache, count, infos, allocator, pipelines);
}

static void raise_limits(VkPhysicalDeviceLimits *limits) {
  const char *bytes = getenv("DUMP_STORAGE_BYTES");
  if (bytes) limits->maxStorageBufferRange = strtoul(bytes, NULL, 10);
}

static void VKAPI_CALL own_get_properties(VkPhysicalDevice gpu, VkPhysicalDeviceProperties *properties) {
  get_properties(gpu, properties);
  raise_limits(&properties->limits);
}

static void VKAPI_CALL own_get_properties2(VkPhysicalDevice gpu, VkPhysicalDeviceProperties2 *properties) {
  get_properties2(gpu, properties);
  raise_limits(&properties->properties.limits);
}

static VkResult VKAPI_CALL own_create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator,
                                               VkInstance *created) {
  VkLayerInstanceCreateInfo *link = (void *)info->pNext;
  while (link && !(link->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO && link->function == VK_LAYER_LINK_INFO))
    link = (void *)link->pNext;
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  next_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateInstance)next_instance_proc(NULL, "vkCreateInstance"))(info, allocator, created);
  if (result != VK_SUCCESS) return result;
  instance = *created;
  get_properties = (void *)next_instance_proc(instance, "vkGetPhysicalDeviceProperties");
  get_properties2 = (void *)next_instance_proc(instance, "vkGetPhysicalDeviceProperties2");
  if (!get_properties2) get_properties2 = (void *)next_instance_proc(instance, "vkGetPhysicalDeviceProperties2KHR");
  return VK_SUCCESS;
}

static VkResult VKAPI_CALL own_create_device(VkPhysicalDevice gpu, const VkDeviceCreateInfo *info,
                                             const VkAllocationCallbacks *allocator, VkDevice *device) {
  VkLayerDeviceCreateInfo *link = (void *)info->pNext;
  while (link && !(link->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO && link->function == VK_LAYER_LINK_INFO))
    link = (void *)link->pNext;
  if (!link) return VK_ERROR_INITIALIZATION_FAILED;
  PFN_vkGetInstanceProcAddr instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  VkResult result = ((PFN_vkCreateDevice)instance_proc(instance, "vkCreateDevice"))(gpu, info, allocator, device);
  if (result != VK_SUCCESS) return result;
  create_module = (void *)next_device_proc(*device, "vkCreateShaderModule");
  create_set_layout = (void *)next_device_proc(*device, "vkCreateDescriptorSetLayout");
  create_layout = (void *)next_device_proc(*device, "vkCreatePipelineLayout");
  create_pipelines = (void *)next_device_proc(*device, "vkCreateComputePipelines");
  return VK_SUCCESS;
}

static PFN_vkVoidFunction VKAPI_CALL own_device_proc(VkDevice device, const char *name);
static PFN_vkVoidFunction VKAPI_CALL own_instance_proc(VkInstance of, const char *name);

// This layer's function of a name, or NULL.
static PFN_vkVoidFunction own_function(const char *name, int of_instance) {
  static const struct {
    const char *name;
    void *function;
    int of_instance;
  } all[] = {
    {"vkGetInstanceProcAddr", own_instance_proc, 1},
    {"vkCreateInstance", own_create_instance, 1},
    {"vkCreateDevice", own_create_device, 1},
    {"vkGetPhysicalDeviceProperties", own_get_properties, 1},
    {"vkGetPhysicalDeviceProperties2", own_get_properties2, 1},
    {"vkGetPhysicalDeviceProperties2KHR", own_get_properties2, 1},
    {"vkGetDeviceProcAddr", own_device_proc, 0},
    {"vkCreateShaderModule", own_create_module, 0},
    {"vkCreateDescriptorSetLayout", own_create_set_layout, 0},
    {"vkCreatePipelineLayout", own_create_layout, 0},
    {"vkCreateComputePipelines", own_create_pipelines, 0},
  };
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if ((of_instance || !all[i].of_instance) && !strcmp(all[i].name, name)) return (PFN_vkVoidFunction)all[i].function;
  return NULL;
}

static PFN_vkVoidFunction VKAPI_CALL own_device_proc(VkDevice device, const char *name) {
  PFN_vkVoidFunction function = own_function(name, 0);
  return function ? function : next_device_proc(device, name);
}

static PFN_vkVoidFunction VKAPI_CALL own_instance_proc(VkInstance of, const char *name) {
  PFN_vkVoidFunction function = own_function(name, 1);
  if (function) return function;
  return next_instance_proc ? next_instance_proc(of, name) : NULL;
}

__attribute__((visibility("default"))) VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *negotiation) {
  negotiation->loaderLayerInterfaceVersion = 2;
  negotiation->pfnGetInstanceProcAddr = own_instance_proc;
  negotiation->pfnGetDeviceProcAddr = own_device_proc;
  negotiation->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}
