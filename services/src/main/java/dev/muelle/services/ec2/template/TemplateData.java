package dev.muelle.services.ec2.template;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.store.Codec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;
import software.amazon.awssdk.services.ec2.model.RequestLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.ResponseLaunchTemplateData;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;

/**
 * What a template says of a launch, in the three forms that the API has for it. Their members have
 * the same names, so that one form is read from another's JSON.
 */
final class TemplateData {

  private static final Codec<RequestLaunchTemplateData> ASKED =
      StoredJson.codec(RequestLaunchTemplateData.class);
  private static final Codec<ResponseLaunchTemplateData> SHOWN =
      StoredJson.codec(ResponseLaunchTemplateData.class);
  private static final Codec<RunInstancesRequest> LAUNCH =
      StoredJson.codec(RunInstancesRequest.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private TemplateData() {}

  /**
   * What a new version says: what is asked for, and of the rest what its source does.
   *
   * @param source null if it has none
   */
  static ResponseLaunchTemplateData of(
      RequestLaunchTemplateData asked, @Nullable ResponseLaunchTemplateData source) {
    ResponseLaunchTemplateData.Builder data = SHOWN.decode(ASKED.encode(asked)).toBuilder();
    if (source != null) {
      for (SdkField<?> field : data.build().sdkFields()) {
        if (unsaid(field.getValueOrDefault(data.build()))) {
          field.set(data, field.getValueOrDefault(source));
        }
      }
    }
    return data.build();
  }

  /** A launch as a version and a request say it together; the request has the last word. */
  static RunInstancesRequest launch(LaunchTemplateVersion version, RunInstancesRequest request) {
    byte[] said = SHOWN.encode(version.launchTemplateData());
    RunInstancesRequest template = LAUNCH.decode(said);
    ObjectNode taken = tree(LAUNCH.encode(template));
    taken.remove("ClientToken"); // a launch without one is given one
    if (!tree(said).equals(taken)) {
      throw Refuse.unsupported(
          "Version "
              + version.versionNumber()
              + " of the launch template "
              + version.launchTemplateId()
              + " says what this region's RunInstances does not take.");
    }
    RunInstancesRequest.Builder launch =
        request.toBuilder().launchTemplate((LaunchTemplateSpecification) null);
    for (SdkField<?> field : template.sdkFields()) {
      if (unsaid(field.getValueOrDefault(request))) {
        field.set(launch, field.getValueOrDefault(template));
      }
    }
    return launch.build();
  }

  private static ObjectNode tree(byte[] json) {
    try {
      return JSON.readValue(json, ObjectNode.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean unsaid(@Nullable Object value) {
    return value == null
        || (value instanceof Collection<?> items && items.isEmpty())
        || (value instanceof Map<?, ?> entries && entries.isEmpty());
  }
}
