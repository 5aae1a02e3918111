package dev.muelle.wire;

import java.lang.invoke.MethodHandle;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkPojo;

/**
 * One operation of a mounted interface.
 *
 * @param name on the wire, for example {@code DescribeClusters}
 * @param resource where the REST protocols have it
 * @param request makes the request's empty builder
 */
record Operation(
    ServiceModel service, String name, Resource resource, Supplier<SdkPojo> request, Call call) {

  /** How it is served. */
  sealed interface Call {

    /** {@code (SdkClient, SdkPojo) -> SdkPojo}: the interface's method. */
    record Once(MethodHandle method) implements Call {}

    /** What the interface has no method for. */
    record Streaming(BiFunction<Caller, SdkPojo, EventStream> begin) implements Call {}
  }
}
