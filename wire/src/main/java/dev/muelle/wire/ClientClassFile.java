package dev.muelle.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.DirectMethodHandleDesc;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the SDK's client class knows and tells nobody: its protocol, and which wire code and HTTP
 * status each modelled exception has. The generated client builds these values with constants only,
 * so they are read from the calls in its class file; no client is created and no generated method
 * is run. That the reading is complete is tested against every exception that the mounted
 * interfaces declare.
 *
 * @param serviceProtocol the constant of the SDK's {@code AwsServiceProtocol}, for example {@code
 *     AWS_JSON}
 * @param jsonVersion for example {@code 1.1}; empty for the other protocols
 * @param errors by the name of the exception class
 */
record ClientClassFile(String serviceProtocol, String jsonVersion, Map<String, WireError> errors) {

  /** The wire code and HTTP status of a modelled exception. */
  record WireError(String code, int status) {}

  private static final String METADATA = "software/amazon/awssdk/protocols/core/ExceptionMetadata";
  private static final String PROTOCOLS =
      "software/amazon/awssdk/awscore/internal/AwsServiceProtocol";

  /** The protocol, if this room speaks it. */
  Optional<Protocol> protocol(Shapes shapes) {
    return switch (serviceProtocol) {
      case "AWS_JSON" -> Optional.of(new AwsJson(jsonVersion, shapes));
      case "REST_JSON" -> Optional.of(new RestJson(shapes));
      case "QUERY" -> Optional.of(new AwsQuery());
      case "EC2" -> Optional.of(new Ec2Query());
      default -> Optional.empty();
    };
  }

  /** Reads the implementation that the SDK generated for a client interface. */
  static ClientClassFile of(Class<?> client) {
    String file = "Default" + client.getSimpleName() + ".class";
    try (InputStream in = client.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalArgumentException(client.getName() + " is not an SDK client interface");
      }
      return read(ClassFile.of().parse(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ClientClassFile read(ClassModel client) {
    Reading reading = new Reading();
    for (MethodModel method : client.methods()) {
      if (says(method)) {
        method.code().ifPresent(code -> code.forEach(reading::see));
      }
    }
    return new ClientClassFile(
        reading.serviceProtocol, reading.jsonVersion, Map.copyOf(reading.errors));
  }

  /** EC2's client has thousands of methods; only these hold what we look for. */
  private static boolean says(MethodModel method) {
    String name = method.methodName().stringValue();
    return name.equals("<clinit>")
        || name.equals("init")
        || (name.startsWith("lambda$")
            && method
                .methodType()
                .stringValue()
                .equals("(Ljava/lang/String;)Ljava/util/Optional;"));
  }

  /** Goes through the instructions and remembers the constants that a call then takes. */
  private static final class Reading {
    private String serviceProtocol = "";
    private String jsonVersion = "";
    private final Map<String, WireError> errors = new HashMap<>();

    private String lastString = "";
    private int lastInt;
    private String lastSupplied = "";
    private @Nullable String code;
    private int status;
    private String exception = "";

    void see(CodeElement element) {
      switch (element) {
        case ConstantInstruction constant -> {
          if (constant.constantValue() instanceof String text) {
            lastString = text;
          } else if (constant.constantValue() instanceof Integer number) {
            lastInt = number;
          }
        }
        case InvokeDynamicInstruction lambda ->
            lambda.bootstrapArgs().stream()
                .filter(DirectMethodHandleDesc.class::isInstance)
                .map(DirectMethodHandleDesc.class::cast)
                .forEach(method ->
                    lastSupplied =
                        method.owner().packageName() + "." + method.owner().displayName());
        case FieldInstruction field -> {
          if (field.owner().asInternalName().equals(PROTOCOLS)) {
            serviceProtocol = field.name().stringValue();
          }
        }
        case InvokeInstruction call ->
            see(call.owner().asInternalName(), call.name().stringValue());
        default -> {}
      }
    }

    private void see(String owner, String method) {
      if (method.equals("protocolVersion")) {
        jsonVersion = lastString;
      } else if (owner.equals(METADATA + "$Builder")) {
        switch (method) {
          case "errorCode" -> code = lastString;
          case "httpStatusCode" -> status = lastInt;
          case "exceptionBuilderSupplier" -> exception = lastSupplied;
          case "build" -> {
            if (code != null) {
              errors.putIfAbsent(exception, new WireError(code, status));
            }
            code = null;
            status = 0;
          }
          default -> {}
        }
      }
    }
  }
}
