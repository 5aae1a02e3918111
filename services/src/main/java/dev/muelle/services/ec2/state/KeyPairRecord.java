package dev.muelle.services.ec2.state;

import java.time.Instant;
import software.amazon.awssdk.services.ec2.model.KeyType;

/**
 * A key pair as stored: of the private half nothing is kept.
 *
 * @param publicKey as a line of {@code authorized_keys}, which ends in the name
 */
public record KeyPairRecord(
    String id, String name, KeyType type, String fingerprint, String publicKey, Instant created) {}
