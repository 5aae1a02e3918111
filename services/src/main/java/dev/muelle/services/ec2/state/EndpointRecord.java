package dev.muelle.services.ec2.state;

import java.util.function.UnaryOperator;
import software.amazon.awssdk.services.ec2.model.VpcEndpoint;

/**
 * A VPC endpoint as it is stored.
 *
 * @param endpoint without its tags, its groups' names and its DNS entries
 * @param label what its DNS names begin with
 */
public record EndpointRecord(VpcEndpoint endpoint, String label) {

  /** The API's words, which are not the model's. */
  public static final String PENDING = "pending";

  public static final String AVAILABLE = "available";
  public static final String DELETING = "deleting";

  public String id() {
    return endpoint.vpcEndpointId();
  }

  public boolean in(String state) {
    return state.equals(endpoint.stateAsString());
  }

  public EndpointRecord with(UnaryOperator<VpcEndpoint.Builder> change) {
    return new EndpointRecord(change.apply(endpoint.toBuilder()).build(), label);
  }
}
