ALTER TABLE messages ADD COLUMN interim INTEGER NOT NULL DEFAULT 0 CHECK (interim IN (0, 1));

ALTER TABLE deliveries ADD COLUMN answer INTEGER;
ALTER TABLE deliveries ADD COLUMN ping INTEGER NOT NULL DEFAULT 0 CHECK (ping IN (0, 1));

CREATE INDEX deliveries_pings ON deliveries (message) WHERE ping AND state IN ('stored', 'offered');
