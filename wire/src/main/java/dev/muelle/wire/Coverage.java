package dev.muelle.wire;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import software.amazon.awssdk.core.SdkClient;

/**
 * Which operations of a service are built: those whose method the implementation overrides.
 *
 * @param service the name in the SDK, for example {@code ecs}
 * @param operations all of the interface, in order of name
 */
public record Coverage(String service, List<Operation> operations) {

  /**
   * One operation.
   *
   * @param name as AWS calls it, for example {@code DescribeClusters}
   */
  public record Operation(String name, boolean built) {}

  public Coverage {
    operations = List.copyOf(operations);
  }

  /** Compares an SDK client interface with the class that serves it. */
  public static <C extends SdkClient> Coverage of(
      Class<C> client, Class<? extends C> implementation) {
    List<Operation> operations = new ArrayList<>();
    for (Method method : ServiceModel.operationMethods(client).values()) {
      operations.add(new Operation(ServiceModel.wireName(method), built(method, implementation)));
    }
    String name = client.getPackageName();
    return new Coverage(name.substring(name.lastIndexOf('.') + 1), operations);
  }

  private static boolean built(Method operation, Class<?> implementation) {
    try {
      return !implementation
          .getMethod(operation.getName(), operation.getParameterTypes())
          .isDefault();
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e); // it implements the interface
    }
  }

  /** How many operations are built. */
  public long built() {
    return operations.stream().filter(Operation::built).count();
  }

  /** The page {@code docs/coverage.md}: the counts of all services, then a table for each. */
  public static String markdown(Collection<Coverage> services) {
    StringBuilder page = new StringBuilder(1 << 16);
    page.append("# Coverage\n\n");
    page.append("Written by the build from the code: an operation is built when its method of the");
    page.append(" SDK's client\ninterface is overridden. Any other is answered with HTTP 501");
    page.append(" `NotImplemented`.\n\n");
    page.append("| service | built | of |\n|---|---:|---:|\n");
    for (Coverage service : services) {
      page.append(
          "| [`%s`](#%s) | %d | %d |\n"
              .formatted(
                  service.service,
                  service.service.toLowerCase(Locale.ROOT),
                  service.built(),
                  service.operations.size()));
    }
    for (Coverage service : services) {
      page.append("\n## ").append(service.service).append("\n\n");
      page.append("| operation | built |\n|---|---|\n");
      for (Operation operation : service.operations) {
        page.append("| ")
            .append(operation.name)
            .append(operation.built ? " | yes |\n" : " | no |\n");
      }
    }
    return page.toString();
  }
}
