package dev.muelle.services.elasticloadbalancingv2.trust;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.store.Tx;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AdvertiseTrustStoreCaNamesEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.MutualAuthenticationAttributes;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreAssociationStatusEnum;

/** What listeners ask of clients' own certificates: what is allowed, and what is usual. */
public final class MutualModes {

  private MutualModes() {}

  /**
   * What a listener asks of clients from now on.
   *
   * @param asked by the request; null if it says nothing of it
   * @param had what it asked before; null if it is new
   */
  public static MutualAuthenticationAttributes changed(
      Tx tx,
      @Nullable MutualAuthenticationAttributes asked,
      @Nullable MutualAuthenticationAttributes had) {
    if (asked == null) {
      return had == null
          ? MutualAuthenticationAttributes.builder().mode(ClientAuths.OFF).build()
          : had;
    }
    String mode = Refuse.unlessPresent("mutualAuthentication.mode", asked.mode());
    boolean bare =
        asked.trustStoreArn() == null
            && !Boolean.TRUE.equals(asked.ignoreClientCertificateExpiry())
            && asked.advertiseTrustStoreCaNames() != AdvertiseTrustStoreCaNamesEnum.ON;
    return switch (mode) {
      case ClientAuths.OFF, ClientAuths.PASSTHROUGH -> {
        if (!bare) {
          throw Refuse.invalid(
              "TrustStoreArn, IgnoreClientCertificateExpiry and AdvertiseTrustStoreCaNames can be"
                  + " specified only for mutual authentication mode 'verify'");
        }
        yield MutualAuthenticationAttributes.builder().mode(mode).build();
      }
      case ClientAuths.VERIFY -> {
        if (asked.trustStoreArn() == null) {
          throw Refuse.invalid(
              "A trust store ARN must be specified for mutual authentication mode 'verify'");
        }
        if (asked.advertiseTrustStoreCaNames()
            == AdvertiseTrustStoreCaNamesEnum.UNKNOWN_TO_SDK_VERSION) {
          throw Refuse.invalid(
              "AdvertiseTrustStoreCaNames '"
                  + asked.advertiseTrustStoreCaNamesAsString()
                  + "' must be one of 'on, off'");
        }
        Existing.trustStore(tx, asked.trustStoreArn());
        yield MutualAuthenticationAttributes.builder()
            .mode(mode)
            .trustStoreArn(asked.trustStoreArn())
            .ignoreClientCertificateExpiry(
                Boolean.TRUE.equals(asked.ignoreClientCertificateExpiry()))
            .trustStoreAssociationStatus(TrustStoreAssociationStatusEnum.ACTIVE)
            .advertiseTrustStoreCaNames(
                asked.advertiseTrustStoreCaNames() == AdvertiseTrustStoreCaNamesEnum.ON
                    ? AdvertiseTrustStoreCaNamesEnum.ON
                    : AdvertiseTrustStoreCaNamesEnum.OFF)
            .build();
      }
      default ->
          throw Refuse.invalid(
              "Mutual authentication mode '"
                  + mode
                  + "' must be one of 'off, passthrough, verify'");
    };
  }
}
