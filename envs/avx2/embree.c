/* embreex makes its devices without a setting, and only a setting keeps Embree from AVX-512.
 * Preloaded, this stands between the two. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <string.h>

static int is_embree(struct dl_phdr_info *object, size_t size, void *name) {
    (void)size;
    if (!strstr(object->dlpi_name, "libembree"))
        return 0;
    *(const char **)name = object->dlpi_name;
    return 1;
}

void *rtcNewDevice(const char *config) {
    const char *name = NULL;
    void *(*make)(const char *);
    (void)config;
    if (!dl_iterate_phdr(is_embree, &name))
        return NULL;
    *(void **)&make = dlsym(dlopen(name, RTLD_NOW | RTLD_NOLOAD), "rtcNewDevice");
    return make("isa=avx2,max_isa=avx2");
}
