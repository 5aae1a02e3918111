package dev.muelle.wire;

import java.lang.invoke.MethodHandle;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkPojo;

/**
 * One operation of a mounted interface.
 *
 * @param name on the wire, for example {@code DescribeClusters}
 * @param request makes the request's empty builder
 * @param call {@code (SdkClient, SdkPojo) -> SdkPojo}: the interface's method
 */
record Operation(ServiceModel service, String name, Supplier<SdkPojo> request, MethodHandle call) {}
